#!/bin/bash
# One shard a task of a Slurm array: sbatch configs/slurm-array.sh configs/vllm.yaml runs/big
# A task that is killed or requeued goes on where it was. When the array is done:
#   ultrainteract status runs/big && ultrainteract export runs/big
# Other numbers of shards may be tried at any time: change --array, submit again, and each new shard takes over what was recorded.
#SBATCH --job-name=ultrainteract
#SBATCH --array=1-64
#SBATCH --cpus-per-task=8
#SBATCH --gres=gpu:1
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@120
#SBATCH --output=slurm-%A-%a.log
set -u
config=$1 output=$2
ultrainteract run "$config" --output "$output" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --no-export &
run=$!
# Two minutes before the time limit the trees under way are finished; what is left is for the next submission.
trap 'kill -TERM "$run"; wait "$run"; [ $? -ne 75 ] || scontrol requeue "$SLURM_JOB_ID"; exit 0' TERM
wait "$run"
