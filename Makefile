# What people type. ARGS goes to the tool: make push ARGS="backend-flask --dry-run"

MAKEFLAGS += --no-print-directory
ARGS ?=

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

demo: ## Run the whole job on this machine, in a local sandbox
	@scripts/demo

test: ## Install what is missing and run the gate
	@scripts/check

check: ## The gate without the sandbox: format, scripts, build, pure tests, clippy
	@scripts/check --quick

deploy: ## Run the job on the AWS account of the environment; asks first
	@scripts/deploy

install-deps: ## Install what build, sandbox and tests need
	@scripts/install-deps

build: ## Build all tools
	cargo build --release --locked

dist: ## Build the static probes, also for the image
	@scripts/dist

bench: ## Measure the tools beside what they replace, into BENCHMARKS.md
	@scripts/bench

sandbox-up: ## Start the local AWS, registry, PostgreSQL and Docker engine
	@scripts/sandbox up

sandbox-status: ## Say what of it runs
	@scripts/sandbox status

sandbox-down: ## Stop the sandbox; its data stays
	@scripts/sandbox down

clean-sandbox: ## Take every sandbox down, with its data
	@scripts/sandbox clean --all

status: ## The state of every row, in one table; changes nothing
	@scripts/status

log-group: ## Row 5: the log group
	@bin/logs/create-log-group $(ARGS)

cluster: ## Row 6: the ECS cluster with its Service Connect namespace
	@bin/ecs/create-cluster $(ARGS)

repositories: ## Row 7: the ECR repositories
	@bin/ecr/create-repository $(ARGS)

login: ## Row 8: sign docker in to ECR
	@bin/ecr/login $(ARGS)

push: ## Rows 9 and 10: copy or build the images, and push them
	@scripts/dist --quiet --for $(ARGS)
	@bin/ecr/push-image $(ARGS)

params: ## Row 11: the parameters
	@bin/ssm/put-params $(ARGS)

roles: ## Rows 12 and 13: the execution role and the task role
	@bin/iam/create-roles $(ARGS)

task-definition: ## Row 14: register the task definition, when it differs
	@bin/ecs/register-task-definition $(ARGS)

service: ## Row 15: deploy the service, and wait for it
	@bin/ecs/deploy-service $(ARGS)

db-test: ## Row 2: test the connection to PostgreSQL
	@bin/db/test $(ARGS)

health-check: ## Row 4: ask the app whether it is healthy
	@bin/health-check $(ARGS)

.PHONY: help demo test check deploy install-deps build dist bench sandbox-up sandbox-status sandbox-down clean-sandbox \
	status log-group cluster repositories login push params roles task-definition service db-test health-check
.DEFAULT_GOAL := help
