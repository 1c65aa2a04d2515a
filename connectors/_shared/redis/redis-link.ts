import { ConnectError } from '@millrace/sdk'
import { connectRedis, type RedisClient } from './connect.ts'
import { isConnectionLost } from './failures.ts'
import type { RedisSettings } from './settings.ts'

export type RedisArgument = string | Buffer | number

/** One connection that is opened when it is needed, and opened again after it was lost. Nothing is repeated by itself. */
export class RedisLink {
  readonly #settings: RedisSettings
  #client: RedisClient | undefined
  #opening: Promise<RedisClient> | undefined
  #isClosed = false
  /** How many connections were opened; what belongs to a connection has to be done again when it grows. */
  opened = 0

  constructor(settings: RedisSettings) {
    this.#settings = settings
  }

  /** The open connection, or a new one. */
  client(): Promise<RedisClient> {
    if (this.#isClosed) return Promise.reject(new ConnectError('the connection to Redis is closed'))
    if (this.#client !== undefined) return Promise.resolve(this.#client)
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** One command; text comes back as strings. */
  async call(command: string, ...args: readonly RedisArgument[]): Promise<unknown> {
    const client = await this.client()
    return await this.#watched(client, client.call(command, [...args]))
  }

  /** One command; text comes back as bytes. */
  async callBuffer(command: string, ...args: readonly RedisArgument[]): Promise<unknown> {
    const client = await this.client()
    return await this.#watched(client, client.callBuffer(command, [...args]))
  }

  /** One command that is written out; its first arguments say which node of a cluster it is for. Text comes back as strings. */
  async send(command: string, first: readonly RedisArgument[], written: Buffer): Promise<unknown> {
    const client = await this.client()
    const { Command } = await import('ioredis')
    const prepared = new Command(command, [...first], { replyEncoding: 'utf8' })
    prepared.toWritable = () => written
    return await this.#watched(client, client.sendCommand(prepared) as Promise<unknown>)
  }

  /** Closes at once. */
  close(): void {
    this.#isClosed = true
    this.#client?.disconnect()
    this.#client = undefined
  }

  /** Lets a connection go of which nobody knows what it still does. */
  drop(): void {
    this.#client?.disconnect()
    this.#client = undefined
  }

  async #watched<T>(client: RedisClient, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      // A replica, or a former master, says READONLY: the next connection asks again who the master is.
      const isElsewhere = error instanceof Error && error.message.startsWith('READONLY')
      if ((isConnectionLost(error) || isElsewhere) && this.#client === client) this.drop()
      throw error
    }
  }

  async #open(): Promise<RedisClient> {
    const client = await connectRedis(this.#settings)
    if (this.#isClosed) {
      client.disconnect()
      throw new ConnectError('the connection to Redis is closed')
    }
    client.on('end', () => {
      if (this.#client === client) this.#client = undefined
    })
    this.#client = client
    this.opened++
    return client
  }
}
