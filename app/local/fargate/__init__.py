"""Embedded Fargate: ECS, and what its tasks need of AWS besides, over AWS's own protocols, on loopback.

From the whole down to the ground:

embedded      all of it as one thing to start and stop
service       the socket: AWS's endpoint, the control endpoint, and the way of a request from one to the other
ecs           the operations on clusters and tasks, and what RunTask makes of a request
events        task state changes in a queue: the EventBridge rule and SQS
tasks         the life of a task once it is launched, and what may be read about it
session_manager   sessions in containers (ECS Exec), and the channels over which clients reach them
running       containers as processes of this host, or simulated
vault         Secrets Manager and Parameter Store
billing       the Price List and Service Quotas
definitions   task definitions, and what Fargate refuses of them
logs          CloudWatch Logs
faults        what shall go wrong, on request
protocol      AWS's requests, answers, errors and limits, the same for every service
oracle        what really happened, and whether pods say so; it reads the journal and nothing else
config        how it is set up
agenda        what will happen when
journal       what has happened

It knows nothing of Spillway's programs and judges by its own tables, so that a mistake of theirs
shows here as it would at AWS. Never here: imports of `app.bridge`, `app.aws` or `app.fargate`.
"""
