import { type KafkaAdmin, type KafkaGroupOffset, type PluginLogger } from '@millrace/sdk'
import { hasKafkaCode } from './internal-topic.ts'
import type { Checkpoint } from './wire.ts'

/** Groups nobody reads with: what is committed for them is what they will go on from. */
const IDLE = new Set(['Empty', 'Dead'])

/** What would bring an idle group forward; it never goes back, since it may have read on the target cluster meanwhile. */
export function offsetsAhead(
  checkpoints: readonly Checkpoint[],
  committed: readonly KafkaGroupOffset[],
): readonly KafkaGroupOffset[] {
  const current = new Map(committed.map(({ topic, partition, offset }) => [`${partition} ${topic}`, offset]))
  return checkpoints
    .filter(({ topic, partition, downstreamOffset }) => {
      const there = current.get(`${partition} ${topic}`)
      return there === undefined || there < downstreamOffset
    })
    .map(({ topic, partition, downstreamOffset, metadata }) => ({
      topic,
      partition,
      offset: downstreamOffset,
      metadata,
    }))
}

/** Commits the checkpoints of a group on the target cluster, as long as nobody reads there with it. */
export async function commitCheckpoints(
  target: KafkaAdmin,
  group: string,
  checkpoints: readonly Checkpoint[],
  logger: PluginLogger,
): Promise<void> {
  if (checkpoints.length === 0 || !IDLE.has(await target.groupState(group))) return
  const ahead = offsetsAhead(checkpoints, await target.groupOffsets(group))
  if (ahead.length === 0) return
  try {
    await target.alterGroupOffsets(group, ahead)
    logger.debug({ group, partitions: ahead.length }, 'offsets of the group were committed')
  } catch (error) {
    if (!hasKafkaCode(error, 'UNKNOWN_MEMBER_ID')) throw error
    logger.info({ group }, 'the group is in use on the target cluster; its offsets are left alone')
  }
}
