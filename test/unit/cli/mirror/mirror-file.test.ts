import { describe, expect, test } from 'vitest'
import { parseProperties } from '../../../../src/base/index.ts'
import { readMirrorFile } from '../../../../src/cli/mirror/mirror-file.ts'

const brokers = `
A.bootstrap.servers = a:9092
B.bootstrap.servers = b:9092
`
const two = `clusters = A, B\n${brokers}`
const read = (text: string, ...only: string[]) => {
  const raw = parseProperties(text)
  return readMirrorFile(raw, raw, only)
}
const flowOf = (text: string, name: string) => {
  const flow = read(text).flows.find((one) => one.name === name)
  if (!flow) throw new Error(`there is no flow ${name}`)
  return flow
}
const sourceOf = (text: string, name: string) => flowOf(text, name).connectors[0]!.config

describe('flows', () => {
  test('what is enabled runs, and so does the other direction for its heartbeats', () => {
    const { flows } = read(`${two}A->B.enabled = true`)
    expect(flows.map(({ name, isEnabled }) => [name, isEnabled])).toEqual([
      ['A->B', true],
      ['B->A', false],
    ])
    expect(flows.map(({ connectors }) => connectors.map(({ config }) => config.enabled))).toEqual([
      ['true', 'true', 'true'],
      ['false', 'false', 'false'],
    ])
  })

  test('without heartbeats only what is enabled runs, unless a flow has them by itself', () => {
    const off = `${two}A->B.enabled = true\nemit.heartbeats.enabled = false\n`
    expect(read(off).flows.map(({ name }) => name)).toEqual(['A->B'])
    expect(read(`${off}B->A.emit.heartbeats.enabled = true`).flows.map(({ name }) => name)).toEqual(['A->B', 'B->A'])
  })

  test('a process may have only some target clusters', () => {
    expect(read(`${two}A->B.enabled = true`, 'B').flows.map(({ name }) => name)).toEqual(['A->B'])
  })

  test('a group on the target has the names of MirrorMaker', () => {
    expect(flowOf(`${two}A->B.enabled = true`, 'A->B').worker).toMatchObject({
      'bootstrap.servers': 'b:9092',
      'client.id': 'A->B',
      'group.id': 'A-mm2',
      'config.storage.topic': 'mm2-configs.A.internal',
      'offset.storage.topic': 'mm2-offsets.A.internal',
      'status.storage.topic': 'mm2-status.A.internal',
      'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
    })
  })

  test('the nearest setting wins: flow, cluster and client, cluster, top', () => {
    const text = `${two}A->B.enabled = true
      topics = all.*
      ssl.protocol = top
      A.ssl.protocol = cluster
      A.consumer.ssl.protocol = client
      A->B.topics = orders
      A->B.source.admin.ssl.protocol = flow`
    expect(sourceOf(text, 'A->B')).toMatchObject({
      topics: 'orders',
      'source.cluster.bootstrap.servers': 'a:9092',
      'source.cluster.ssl.protocol': 'cluster',
      'source.consumer.ssl.protocol': 'client',
      'source.producer.ssl.protocol': 'cluster',
      'source.admin.ssl.protocol': 'flow',
      'target.consumer.ssl.protocol': 'top',
    })
    expect(sourceOf(text, 'B->A')).toMatchObject({ topics: 'all.*' })
  })

  test('aliases with dots are told apart', () => {
    const text = `clusters = us, us.east
      us.bootstrap.servers = a:1
      us.east.bootstrap.servers = b:1
      us->us.east.enabled = true`
    expect(sourceOf(text, 'us->us.east')).toMatchObject({
      'source.cluster.bootstrap.servers': 'a:1',
      'target.cluster.bootstrap.servers': 'b:1',
    })
  })

  test('values of config providers decide what runs, and connectors get what is written', () => {
    const raw = parseProperties(`${two}A->B.enabled = \${env:RUNS}\nA->B.topics = \${env:TOPICS}`)
    const values = { ...raw, 'A->B.enabled': 'true', 'A->B.topics': 'secret' }
    const [flow] = readMirrorFile(raw, values).flows
    expect(flow?.isEnabled).toBe(true)
    expect(flow?.connectors[0]?.config.topics).toBe('${env:TOPICS}')
  })

  test('REST is on when the file says so', () => {
    const text = `${two}A->B.enabled = true\n`
    expect(read(text).hasRest).toBe(false)
    expect(read(`${text}dedicated.mode.enable.internal.rest = true`).hasRest).toBe(true)
  })

  test('keys that nobody takes are told', () => {
    const text = `${two}A->B.enabled = true
      offset.flush.interval.ms = 1000
      task.shutdown.graceful.timeout.ms = 1
      topics = t
      B.offset.flush.interval.ms = 1000
      config.providers.env.class = EnvVarConfigProvider
      primry.ssl.protocol = TLS`
    expect(read(text).ignored).toEqual(['offset.flush.interval.ms', 'primry.ssl.protocol'])
  })
})

describe('mistakes', () => {
  test.each([
    ['', 'clusters is missing'],
    ['clusters = ,', 'clusters is missing'],
    ['clusters = A, b c', 'b c cannot be part of a topic'],
    [`${two}A->C.enabled = true`, 'A->C.enabled: there is no cluster C; clusters names A, B'],
    [`${two}X->Y.topics = t`, 'X->Y.topics: there is no cluster X and no Y; clusters names A, B'],
    [`${two}A->A.enabled = true`, 'A->A.enabled: a cluster is not mirrored to itself'],
    [`${two}A\\ ->\\ B.enabled = true`, 'without spaces, as source->target'],
    [`${two}A->B = true`, 'the flow A->B needs a dot and a key behind it'],
    [`${two}A->Benabled = true`, 'there is no cluster Benabled'],
    [`${two}C.bootstrap.servers = c:1\nA->B.enabled = true`, 'C.bootstrap.servers: there is no cluster C'],
    [`${two}A->B.enabled = yes`, 'A->B.enabled: yes is neither true nor false'],
    [`clusters = A, B\nA.bootstrap.servers = a:1\nA->B.enabled = true`, 'B.bootstrap.servers is missing'],
    [`clusters = A\nA.bootstrap.servers = a:1`, 'there is no flow; add for example A->another.enabled = true'],
    [`${two}emit.heartbeats.enabled = false`, 'there is no flow; add for example A->B.enabled = true'],
  ])('%j', (text, message) => {
    expect(() => read(text)).toThrow(message)
  })

  test('a target cluster that is not there', () => {
    expect(() => read(`${two}A->B.enabled = true`, 'C')).toThrow(
      '--clusters: there is no cluster C; clusters names A, B',
    )
    const off = `${two}A->B.enabled = true\nemit.heartbeats.enabled = false`
    expect(() => read(off, 'A')).toThrow('there is no flow to A')
  })

  test('all are told at once, each flow once', () => {
    const text = `${two}A->C.enabled = true\nA->C.topics = t\nC->B.enabled = maybe`
    expect(() => read(text)).toThrow(
      /^A->C\.\w+: there is no cluster C[^\n]*\nC->B\.enabled: there is no cluster C[^\n]*\nC->B\.enabled: maybe is neither/,
    )
  })

  test('brokers for all clusters may stand at the top, and at a kind of client', () => {
    const text = `clusters = A, B\nbootstrap.servers = all:1\nA->B.enabled = true\nconsumer.bootstrap.servers = all:2`
    expect(read(text).flows).toHaveLength(2)
  })
})
