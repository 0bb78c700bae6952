# What the bridge may do, and who may become it.

data "aws_iam_policy_document" "bridge_trust" {
  dynamic "statement" {
    for_each = var.trust == "irsa" ? [var.oidc_provider] : []

    content {
      actions = ["sts:AssumeRoleWithWebIdentity"]

      principals {
        type        = "Federated"
        identifiers = [var.oidc_provider]
      }

      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:aud"
        values   = ["sts.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:sub"
        values   = ["system:serviceaccount:${var.namespace}:${var.service_account}"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.trust == "node-role" ? [var.node_role] : []

    content {
      actions = ["sts:AssumeRole"]

      principals {
        type        = "AWS"
        identifiers = [var.node_role]
      }
    }
  }

  dynamic "statement" {
    for_each = var.trust == "pod-identity" ? [var.service_account] : []

    content {
      actions = ["sts:AssumeRole", "sts:TagSession"]

      principals {
        type        = "Service"
        identifiers = ["pods.eks.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:RequestTag/kubernetes-namespace"
        values   = [var.namespace]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:RequestTag/kubernetes-service-account"
        values   = [var.service_account]
      }
    }
  }
}

data "aws_iam_policy_document" "bridge" {
  statement {
    sid       = "Register"
    actions   = ["ecs:RegisterTaskDefinition"]
    resources = [local.definitions]
  }

  statement {
    sid       = "FindDefinitions"
    actions   = ["ecs:DescribeTaskDefinition"]
    resources = ["*"]
  }

  statement {
    sid       = "Launch"
    actions   = ["ecs:RunTask"]
    resources = [local.definitions]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [local.cluster_arn]
    }
  }

  statement {
    sid       = "Tag"
    actions   = ["ecs:TagResource"]
    resources = [local.definitions, local.tasks_arn]

    condition {
      test     = "StringEquals"
      variable = "ecs:CreateAction"
      values   = ["RunTask", "RegisterTaskDefinition"]
    }
  }

  statement {
    sid       = "Tasks"
    actions   = ["ecs:DescribeTasks", "ecs:StopTask"]
    resources = [local.tasks_arn]
  }

  statement {
    sid       = "ListTasks"
    actions   = ["ecs:ListTasks"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [local.cluster_arn]
    }
  }

  statement {
    sid       = "Enter"
    actions   = ["ecs:ExecuteCommand"]
    resources = [local.cluster_arn, local.tasks_arn]
  }

  statement {
    sid     = "PassRoles"
    actions = ["iam:PassRole"]
    resources = [
      "arn:${local.partition}:iam::${local.account}:role/${var.name}-execution",
      "arn:${local.partition}:iam::${local.account}:role/${var.name}-task",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  dynamic "statement" {
    for_each = length(var.task_roles) == 0 ? [] : [var.task_roles]

    content {
      sid       = "PassTaskRoles"
      actions   = ["iam:PassRole"]
      resources = var.task_roles

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["ecs-tasks.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.ebs_role == "" ? [] : [var.ebs_role]

    content {
      sid       = "PassVolumeRole"
      actions   = ["iam:PassRole"]
      resources = [var.ebs_role]

      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["ecs.amazonaws.com"]
      }
    }
  }

  statement {
    sid       = "ReadLogs"
    actions   = ["logs:GetLogEvents"]
    resources = [local.streams]
  }

  statement {
    sid     = "ReadUsage"
    actions = ["logs:FilterLogEvents"]
    resources = [
      "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_group}:*",
      "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/ecs/containerinsights/${var.name}/performance:*",
    ]
  }

  statement {
    sid       = "TakeEvents"
    actions   = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
    resources = [local.queue_arn]
  }

  statement {
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
  }

  statement {
    sid       = "ListSecrets"
    actions   = ["secretsmanager:ListSecrets"]
    resources = ["*"]
  }

  statement {
    sid       = "Sessions"
    actions   = ["ssm:ResumeSession", "ssm:TerminateSession"]
    resources = ["arn:${local.partition}:ssm:${local.region}:${local.account}:session/ecs-execute-command-*"]
  }

  dynamic "statement" {
    for_each = var.kms_key == "" ? [] : [var.kms_key]

    content {
      sid       = "SealSessions"
      actions   = ["kms:GenerateDataKey"]
      resources = [var.kms_key]
    }
  }

  statement {
    sid       = "Registries"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "ReadImages"
    actions   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [local.images]
  }

  dynamic "statement" {
    for_each = var.eks_cluster == "" ? [] : [var.eks_cluster]

    content {
      sid     = "PodIdentities"
      actions = ["eks:DescribePodIdentityAssociation", "eks:ListPodIdentityAssociations"]
      resources = [
        "arn:${local.partition}:eks:${local.region}:${local.account}:cluster/${var.eks_cluster}",
        "arn:${local.partition}:eks:${local.region}:${local.account}:podidentityassociation/${var.eks_cluster}/*",
      ]
    }
  }

  statement {
    sid = "Offers"
    actions = [
      "pricing:GetProducts",
      "servicequotas:GetAWSDefaultServiceQuota",
      "servicequotas:GetServiceQuota",
    ]
    resources = ["*"]
  }
}
