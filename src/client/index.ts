export type { AclBinding } from './admin/acls.ts'
export { Admin, type ClusterDescription, type LogDirDescription } from './admin/admin.ts'
export {
  type AlterConfigOp,
  type ConfigChange,
  type ConfigEntry,
  type ConfigResource,
  type ConfigResourceType,
  type ConfigSource,
  resourceKey,
} from './admin/configs.ts'
export type { GroupDescription, GroupListing, MemberDescription } from './admin/groups.ts'
export { allOrThrow, type KeyedResult } from './admin/results.ts'
export type { AdminCallOptions, CreatedTopic, NewTopic, TopicDescription } from './admin/topics.ts'
export { createClient, type Client, type ClientOverrides } from './client.ts'
export type { ClientOptions } from './client-config.ts'
export { type ClientErrorName, isRetriable, KafkaError } from './errors.ts'
export type { Broker, PartitionInfo, TopicInfo } from './metadata.ts'
export type { ProducerRecord } from './producer/accumulator.ts'
export { murmur2, partitionForKey } from './producer/murmur2.ts'
export { Producer, type RecordMetadata } from './producer/producer.ts'
export type { ProducerBatch } from './producer/producer-batch.ts'
export type { ProducerOptions } from './producer/producer-config.ts'
export type { TopicPartition } from './consumer/assignors/assignor.ts'
export { Consumer, type ConsumerGroupMetadata, type Topics } from './consumer/consumer.ts'
export type { AssignorName, ConsumerOptions, RebalanceListener } from './consumer/consumer-config.ts'
export type { OffsetAndMetadata, OffsetToCommit } from './consumer/group-offsets.ts'
export type { OffsetAndTimestamp, TimestampQuery } from './consumer/list-offsets.ts'
export type { ConsumerRecord, TimestampType } from './consumer/partition-reader.ts'
export {
  type GroupAssignment,
  GroupMember,
  type GroupMemberOptions,
  type GroupOwner,
  type GroupProtocol,
  type LeaderRequest,
} from './group/group-member.ts'
export type { GroupMemberInfo, GroupPhase } from './group/group-state.ts'
export { clientOptionsFrom, consumerOptionsFrom, producerOptionsFrom, type PropertyOptions } from './properties.ts'
