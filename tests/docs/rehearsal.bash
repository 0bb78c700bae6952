# What the commands of the documentation meet in a test: the same programs, on stand-ins of what they need.
# AWS is an emulator; helm renders what it would install.

spillway() {
  if [ "$1" = aws ]; then
    AWS_ENDPOINT_URL=$REHEARSAL_AWS AWS_REGION=${AWS_REGION:-eu-west-1} command spillway "$@"
  else
    command spillway "$@"
  fi
}

helm() {
  local subcommand=$1
  shift
  case "$subcommand" in
  install | upgrade | template) ;;
  *) command helm "$subcommand" "$@" && return || return ;;
  esac
  local words=()
  while [ $# -gt 0 ]; do
    case "$1" in
    --install | --wait) ;;
    --timeout) shift ;;
    --reuse-values) words+=(--values charts/spillway/ci/default-values.yaml) ;;
    *) words+=("$1") ;;
    esac
    shift
  done
  command helm template --kube-version 1.36.2 "${words[@]}" >rendered.yaml && [ -s rendered.yaml ]
}
