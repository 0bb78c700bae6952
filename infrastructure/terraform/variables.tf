variable "name" {
  description = "The installation; everything is named after it."
  type        = string
  default     = "spillway"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name)) && !startswith(var.name, "sg-")
    error_message = "Take a lower-case letter, then at most 39 lower-case letters, digits and hyphens, and not sg- first."
  }
}

variable "trust" {
  description = "How the bridge becomes its role: pod-identity (EKS Pod Identity), irsa, or node-role (kube2iam)."
  type        = string
  default     = "pod-identity"

  validation {
    condition     = contains(["pod-identity", "irsa", "node-role"], var.trust)
    error_message = "Take pod-identity, irsa or node-role."
  }
}

variable "namespace" {
  description = "Of the bridge's service account."
  type        = string
  default     = "spillway"
}

variable "service_account" {
  description = "The bridge's service account."
  type        = string
  default     = "spillway-bridge"
}

variable "oidc_provider" {
  description = "For irsa: ARN of the cluster's OpenID provider in IAM."
  type        = string
  default     = ""
}

variable "node_role" {
  description = "For node-role: ARN of the role that the nodes have."
  type        = string
  default     = ""
}

variable "eks_cluster" {
  description = "The EKS cluster's name, where the bridge may look Pod Identity roles up; empty: nowhere."
  type        = string
  default     = ""
}

variable "vpc" {
  description = "Where tasks run; empty: no security group."
  type        = string
  default     = ""
}

variable "node_security_groups" {
  description = "The nodes' groups, which may reach the tasks; they need a vpc."
  type        = set(string)
  default     = []
}

variable "pod_cidrs" {
  description = "Pods' addresses, which may reach the tasks; they need a vpc."
  type        = set(string)
  default     = []
}

variable "log_retention" {
  description = "Days that the containers' logs are kept."
  type        = number
  default     = 30
}

variable "container_insights" {
  description = "What kubectl top and HPA of overflow pods rest on: enabled, enhanced or disabled."
  type        = string
  default     = "enabled"

  validation {
    condition     = contains(["enabled", "enhanced", "disabled"], var.container_insights)
    error_message = "Take enabled, enhanced or disabled."
  }
}

variable "kms_key" {
  description = "ARN of the key that encrypts sessions of kubectl exec; empty: TLS alone."
  type        = string
  default     = ""
}

variable "task_roles" {
  description = "ARNs of further roles that pods may be given; * stands for any part."
  type        = list(string)
  default     = []
}

variable "ebs_role" {
  description = "ARN of the role with which ECS manages EBS volumes; empty: none."
  type        = string
  default     = ""
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of all roles; empty: none."
  type        = string
  default     = ""
}
