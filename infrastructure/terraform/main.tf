data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition   = data.aws_partition.current.partition
  region      = data.aws_region.current.name
  account     = data.aws_caller_identity.current.account_id
  description = "Spillway: pods of a Kubernetes cluster on AWS Fargate"

  log_group = "/${var.name}/pods"
  issuer    = element(split("oidc-provider/", "${var.oidc_provider}oidc-provider/"), 1)
  boundary  = var.permissions_boundary == "" ? null : var.permissions_boundary

  tags = {
    "spillway.dev/name"   = var.name
    "spillway.dev/region" = local.region
  }
}

resource "aws_cloudwatch_log_group" "pods" {
  name              = local.log_group
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
