/*
 * ListPartitionReassignments (46), version 0.
 * One broker never moves a partition, so the answer is empty; kafka-topics --describe asks always.
 */
import { apis, ErrorCode } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

export const listPartitionReassignments = defineHandler({
  api: apis.listPartitionReassignments,
  versions: [0, 0],
  handle: () => ({ errorCode: ErrorCode.NONE, topics: [] }),
})
