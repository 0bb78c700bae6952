# Who may do what, each statement once: a statement without resources is left out.

locals {
  here  = "${local.region}:${local.account}"
  roles = "arn:${local.partition}:iam::${local.account}:role"

  cluster_arn = "arn:${local.partition}:ecs:${local.here}:cluster/${var.name}"
  tasks_arn   = "arn:${local.partition}:ecs:${local.here}:task/${var.name}/*"
  definitions = "arn:${local.partition}:ecs:${local.here}:task-definition/spillway-*:*"
  streams     = "arn:${local.partition}:logs:${local.here}:log-group:${local.log_group}:log-stream:*"
  secrets     = "arn:${local.partition}:secretsmanager:${local.here}:secret:spillway/*"
  images      = "arn:${local.partition}:ecr:*:*:repository/*"
  queue_arn   = "arn:${local.partition}:sqs:${local.here}:${var.name}-task-events"
  rule_arn    = "arn:${local.partition}:events:${local.here}:rule/${var.name}-task-events"

  in_cluster  = [{ test = "ArnEquals", variable = "ecs:cluster", values = [local.cluster_arn] }]
  at_creation = [{ test = "StringEquals", variable = "ecs:CreateAction", values = ["RunTask", "RegisterTaskDefinition"] }]
  to_tasks    = [{ test = "StringEquals", variable = "iam:PassedToService", values = ["ecs-tasks.amazonaws.com"] }]
  to_ecs      = [{ test = "StringEquals", variable = "iam:PassedToService", values = ["ecs.amazonaws.com"] }]

  registries = { sid = "Registries", actions = ["ecr:GetAuthorizationToken"], resources = ["*"], when = [] }

  permissions = {
    execution = [
      local.registries,
      {
        sid       = "PullImages"
        actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        resources = [local.images]
        when      = []
      },
      { sid = "WriteLogs", actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = [local.streams], when = [] },
      { sid = "ReadSecrets", actions = ["secretsmanager:GetSecretValue"], resources = [local.secrets], when = [] },
    ]

    task = [
      {
        sid = "Exec"
        actions = [
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ]
        resources = ["*"]
        when      = []
      },
      { sid = "OpenSessions", actions = ["kms:Decrypt"], resources = var.kms_key == "" ? [] : [var.kms_key], when = [] },
    ]

    bridge = [
      local.registries,
      { sid = "Register", actions = ["ecs:RegisterTaskDefinition"], resources = [local.definitions], when = [] },
      { sid = "FindDefinitions", actions = ["ecs:DescribeTaskDefinition"], resources = ["*"], when = [] },
      { sid = "Launch", actions = ["ecs:RunTask"], resources = [local.definitions], when = local.in_cluster },
      { sid = "Tag", actions = ["ecs:TagResource"], resources = [local.definitions, local.tasks_arn], when = local.at_creation },
      { sid = "Tasks", actions = ["ecs:DescribeTasks", "ecs:StopTask"], resources = [local.tasks_arn], when = [] },
      { sid = "ListTasks", actions = ["ecs:ListTasks"], resources = ["*"], when = local.in_cluster },
      { sid = "Enter", actions = ["ecs:ExecuteCommand"], resources = [local.cluster_arn, local.tasks_arn], when = [] },
      {
        sid       = "PassRoles"
        actions   = ["iam:PassRole"]
        resources = ["${local.roles}/${var.name}-execution", "${local.roles}/${var.name}-task"]
        when      = local.to_tasks
      },
      { sid = "PassTaskRoles", actions = ["iam:PassRole"], resources = var.task_roles, when = local.to_tasks },
      { sid = "PassVolumeRole", actions = ["iam:PassRole"], resources = var.ebs_role == "" ? [] : [var.ebs_role], when = local.to_ecs },
      { sid = "ReadLogs", actions = ["logs:GetLogEvents"], resources = [local.streams], when = [] },
      {
        sid     = "ReadUsage"
        actions = ["logs:FilterLogEvents"]
        resources = [
          "arn:${local.partition}:logs:${local.here}:log-group:${local.log_group}:*",
          "arn:${local.partition}:logs:${local.here}:log-group:/aws/ecs/containerinsights/${var.name}/performance:*",
        ]
        when = []
      },
      { sid = "TakeEvents", actions = ["sqs:DeleteMessage", "sqs:ReceiveMessage"], resources = [local.queue_arn], when = [] },
      {
        sid = "KeepSecrets"
        actions = [
          "secretsmanager:CreateSecret",
          "secretsmanager:DeleteSecret",
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetSecretValue",
          "secretsmanager:RestoreSecret",
          "secretsmanager:TagResource",
        ]
        resources = [local.secrets]
        when      = []
      },
      { sid = "ListSecrets", actions = ["secretsmanager:ListSecrets"], resources = ["*"], when = [] },
      {
        sid       = "Sessions"
        actions   = ["ssm:ResumeSession", "ssm:TerminateSession"]
        resources = ["arn:${local.partition}:ssm:${local.here}:session/ecs-execute-command-*"]
        when      = []
      },
      { sid = "SealSessions", actions = ["kms:GenerateDataKey"], resources = var.kms_key == "" ? [] : [var.kms_key], when = [] },
      {
        sid       = "ReadImages"
        actions   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        resources = [local.images]
        when      = []
      },
      {
        sid     = "PodIdentities"
        actions = ["eks:DescribePodIdentityAssociation", "eks:ListPodIdentityAssociations"]
        resources = var.eks_cluster == "" ? [] : [
          "arn:${local.partition}:eks:${local.here}:cluster/${var.eks_cluster}",
          "arn:${local.partition}:eks:${local.here}:podidentityassociation/${var.eks_cluster}/*",
        ]
        when = []
      },
      {
        sid       = "Offers"
        actions   = ["pricing:GetProducts", "servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota"]
        resources = ["*"]
        when      = []
      },
    ]
  }

  trusted = {
    tasks = {
      actions = ["sts:AssumeRole"]
      whom    = { type = "Service", identifiers = ["ecs-tasks.amazonaws.com"] }
      when = [
        { test = "StringEquals", variable = "aws:SourceAccount", values = [local.account] },
        { test = "ArnLike", variable = "aws:SourceArn", values = ["arn:${local.partition}:ecs:${local.here}:*"] },
      ]
    }
    irsa = {
      actions = ["sts:AssumeRoleWithWebIdentity"]
      whom    = { type = "Federated", identifiers = [var.oidc_provider] }
      when = [
        { test = "StringEquals", variable = "${local.issuer}:aud", values = ["sts.amazonaws.com"] },
        {
          test     = "StringEquals"
          variable = "${local.issuer}:sub"
          values   = ["system:serviceaccount:${var.namespace}:${var.service_account}"]
        },
      ]
    }
    node-role = {
      actions = ["sts:AssumeRole"]
      whom    = { type = "AWS", identifiers = [var.node_role] }
      when    = []
    }
    pod-identity = {
      actions = ["sts:AssumeRole", "sts:TagSession"]
      whom    = { type = "Service", identifiers = ["pods.eks.amazonaws.com"] }
      when = [
        { test = "StringEquals", variable = "aws:SourceAccount", values = [local.account] },
        { test = "StringEquals", variable = "aws:RequestTag/kubernetes-namespace", values = [var.namespace] },
        { test = "StringEquals", variable = "aws:RequestTag/kubernetes-service-account", values = [var.service_account] },
      ]
    }
  }

  trust = {
    execution = "tasks"
    task      = "tasks"
    bridge    = var.trust
  }
}

data "aws_iam_policy_document" "permissions" {
  for_each = local.permissions

  dynamic "statement" {
    for_each = [for permitted in each.value : permitted if length(permitted.resources) > 0]

    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.when

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.trust

  statement {
    actions = local.trusted[each.value].actions

    principals {
      type        = local.trusted[each.value].whom.type
      identifiers = local.trusted[each.value].whom.identifiers
    }

    dynamic "condition" {
      for_each = local.trusted[each.value].when

      content {
        test     = condition.value.test
        variable = condition.value.variable
        values   = condition.value.values
      }
    }
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.trust
  name                 = "${var.name}-${each.key}"
  description          = local.description
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  permissions_boundary = local.boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "this" {
  for_each = local.trust
  name     = "spillway"
  role     = aws_iam_role.this[each.key].name
  policy   = data.aws_iam_policy_document.permissions[each.key].json
}
