data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition   = data.aws_partition.current.partition
  region      = data.aws_region.current.name
  account     = data.aws_caller_identity.current.account_id
  description = "Spillway: pods of a Kubernetes cluster on AWS Fargate"

  log_group   = "/${var.name}/pods"
  cluster_arn = "arn:${local.partition}:ecs:${local.region}:${local.account}:cluster/${var.name}"
  tasks_arn   = "arn:${local.partition}:ecs:${local.region}:${local.account}:task/${var.name}/*"
  definitions = "arn:${local.partition}:ecs:${local.region}:${local.account}:task-definition/spillway-*:*"
  streams     = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_group}:log-stream:*"
  secrets     = "arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:spillway/*"
  images      = "arn:${local.partition}:ecr:*:*:repository/*"
  queue_arn   = "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}-task-events"
  rule_arn    = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-task-events"

  issuer   = element(split("oidc-provider/", "${var.oidc_provider}oidc-provider/"), 1)
  boundary = var.permissions_boundary == "" ? null : var.permissions_boundary

  tags = {
    "spillway.dev/name"   = var.name
    "spillway.dev/region" = local.region
  }
}

resource "aws_cloudwatch_log_group" "pods" {
  name              = "/${var.name}/pods"
  retention_in_days = var.log_retention
  tags              = local.tags
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }

  dynamic "configuration" {
    for_each = var.kms_key == "" ? [] : [var.kms_key]

    content {
      execute_command_configuration {
        kms_key_id = configuration.value
        logging    = "DEFAULT"
      }
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

data "aws_iam_policy_document" "tasks_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:ecs:${local.region}:${local.account}:*"]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "Registries"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "PullImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
    ]
    resources = [local.images]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [local.streams]
  }

  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [local.secrets]
  }
}

resource "aws_iam_role" "execution" {
  name                 = "${var.name}-execution"
  description          = local.description
  assume_role_policy   = data.aws_iam_policy_document.tasks_trust.json
  permissions_boundary = local.boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "spillway"
  role   = aws_iam_role.execution.name
  policy = data.aws_iam_policy_document.execution.json
}

data "aws_iam_policy_document" "task" {
  statement {
    sid = "Exec"
    actions = [
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = var.kms_key == "" ? [] : [var.kms_key]

    content {
      sid       = "OpenSessions"
      actions   = ["kms:Decrypt"]
      resources = [var.kms_key]
    }
  }
}

resource "aws_iam_role" "task" {
  name                 = "${var.name}-task"
  description          = local.description
  assume_role_policy   = data.aws_iam_policy_document.tasks_trust.json
  permissions_boundary = local.boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "task" {
  name   = "spillway"
  role   = aws_iam_role.task.name
  policy = data.aws_iam_policy_document.task.json
}

resource "aws_iam_role" "bridge" {
  name                 = "${var.name}-bridge"
  description          = local.description
  assume_role_policy   = data.aws_iam_policy_document.bridge_trust.json
  permissions_boundary = local.boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "bridge" {
  name   = "spillway"
  role   = aws_iam_role.bridge.name
  policy = data.aws_iam_policy_document.bridge.json
}

resource "aws_security_group" "tasks" {
  count       = var.vpc == "" ? 0 : 1
  name        = "${var.name}-tasks"
  description = "Spillway: tasks on Fargate"
  vpc_id      = var.vpc
  tags        = local.tags
}

resource "aws_vpc_security_group_egress_rule" "anywhere" {
  count             = var.vpc == "" ? 0 : 1
  security_group_id = aws_security_group.tasks[0].id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "from_tasks" {
  count                        = var.vpc == "" ? 0 : 1
  security_group_id            = aws_security_group.tasks[0].id
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.tasks[0].id
}

resource "aws_vpc_security_group_ingress_rule" "from_nodes" {
  for_each                     = var.vpc == "" ? [] : var.node_security_groups
  security_group_id            = aws_security_group.tasks[0].id
  ip_protocol                  = "-1"
  referenced_security_group_id = each.value
}

resource "aws_vpc_security_group_ingress_rule" "from_pods" {
  for_each          = var.vpc == "" ? [] : var.pod_cidrs
  security_group_id = aws_security_group.tasks[0].id
  ip_protocol       = "-1"
  cidr_ipv4         = each.value
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-task-events-dead-letters"
  message_retention_seconds = 345600
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

resource "aws_sqs_queue" "task_events" {
  name                       = "${var.name}-task-events"
  message_retention_seconds  = 3600
  visibility_timeout_seconds = 30
  sqs_managed_sse_enabled    = true
  tags                       = local.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 5
  })
}

data "aws_iam_policy_document" "task_events" {
  statement {
    sid       = "TaskEvents"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.rule_arn]
    }
  }
}

resource "aws_sqs_queue_policy" "task_events" {
  queue_url = aws_sqs_queue.task_events.url
  policy    = data.aws_iam_policy_document.task_events.json
}

resource "aws_cloudwatch_event_rule" "task_events" {
  name  = "${var.name}-task-events"
  state = "ENABLED"
  tags  = local.tags

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail      = { clusterArn = [local.cluster_arn] }
  })
}

resource "aws_cloudwatch_event_target" "task_events" {
  rule      = aws_cloudwatch_event_rule.task_events.name
  target_id = "queue"
  arn       = aws_sqs_queue.task_events.arn
}
