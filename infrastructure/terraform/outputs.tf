output "values" {
  description = "Values of the Helm chart; add bridge.settings.subnets."
  value = {
    bridge = {
      settings = {
        region         = local.region
        ecsCluster     = aws_ecs_cluster.this.name
        logGroup       = aws_cloudwatch_log_group.pods.name
        executionRole  = aws_iam_role.this["execution"].arn
        taskRole       = aws_iam_role.this["task"].arn
        securityGroups = aws_security_group.tasks[*].id
        eventsQueue    = aws_sqs_queue.task_events.url
        eksCluster     = var.eks_cluster
        ebsRole        = var.ebs_role
      }
    }
  }
}

output "bridge_role" {
  description = "ARN of the bridge's own role, for its service account."
  value       = aws_iam_role.this["bridge"].arn
}

output "security_group" {
  description = "The tasks' group: the nodes' groups have to let it in. Empty without a vpc."
  value       = join("", aws_security_group.tasks[*].id)
}
