import { Admin } from './admin/admin.ts'
import { Consumer } from './consumer/consumer.ts'
import type { ConsumerOptions } from './consumer/consumer-config.ts'
import { type ClientOptions, resolveClientConfig } from './client-config.ts'
import { GroupMember, type GroupMemberOptions, type GroupOwner } from './group/group-member.ts'
import { Producer } from './producer/producer.ts'
import type { ProducerOptions } from './producer/producer-config.ts'

/** Makes producers, consumers, admins and group members for one cluster. Each has connections of its own. */
export interface Client {
  producer(options?: ProducerOptions & ClientOverrides): Producer
  consumer(options?: ConsumerOptions & ClientOverrides): Consumer
  admin(options?: ClientOverrides): Admin
  /** A member of a group with any protocol type; call `start` to join. */
  groupMember(options: GroupMemberOptions & ClientOverrides, owner: GroupOwner): GroupMember
}

/** Client options that one of a client's parts may have differently. */
export type ClientOverrides = Partial<Omit<ClientOptions, 'net' | 'clock' | 'random'>>

/** Checks the options and opens nothing yet: connections are made when they are needed. */
export function createClient(options: ClientOptions): Client {
  resolveClientConfig(options)
  const configFor = (overrides: ClientOverrides) => resolveClientConfig({ ...options, ...overrides })
  return {
    producer: (own = {}) => new Producer(configFor(own), own),
    consumer: (own = {}) => new Consumer(configFor(own), own),
    admin: (own = {}) => new Admin(configFor({ allowAutoCreateTopics: false, ...own })),
    groupMember: (own, owner) => new GroupMember(configFor(own), own, owner),
  }
}
