/** `node --conditions=source test/bench/micro/protocol-codec.ts`: encoding and decoding of Produce and Fetch, splitting of frames. */
import { type Api, apis, FrameSplitter } from '../../../src/protocol/index.ts'
import { line, perCpuSecond } from './cpu.ts'

const SECONDS = Number(process.argv[2] ?? 0.5)
const ROUND = 20_000
const topicId = 'dGhlLXRvcGljLWlkLTEyMw'
const records = Buffer.alloc(16_384, 1)

async function time(name: string, body: () => unknown): Promise<void> {
  const { units } = await perCpuSecond(SECONDS, () => {
    for (let i = 0; i < ROUND; i++) body()
    return ROUND
  })
  line(name, { 'k/cpu-s': (units / 1000).toFixed(0), ns: (1e9 / units).toFixed(0) })
}

async function api(one: Api<any, any>, version: number, request: object, response: object): Promise<void> {
  const name = `${one.name} v${version}`
  const requestBytes = one.encodeRequest(version, request)
  const responseBytes = one.encodeResponse(version, response)
  await time(`${name} request to frame`, () => one.requestFrame(version, { correlationId: 1, clientId: 'c' }, request))
  await time(`${name} request from bytes`, () => one.decodeRequest(version, requestBytes))
  await time(`${name} response to frame`, () => one.responseFrame(version, 1, response))
  await time(`${name} response from bytes`, () => one.decodeResponse(version, responseBytes))
}

for (const count of [1, 10]) {
  const each = <T>(make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))
  console.log(`${count} partition(s) of 16 KiB`)
  await api(
    apis.produce,
    9,
    {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: 'bench', partitionData: each((index) => ({ index, records })) }],
    },
    { responses: [{ name: 'bench', partitionResponses: each((index) => ({ index, baseOffset: 123_456 })) }] },
  )
  await api(
    apis.fetch,
    17,
    { maxWaitMs: 500, topics: [{ topicId, partitions: each((partition) => ({ partition, fetchOffset: 1_000_000 })) }] },
    { responses: [{ topicId, partitions: each((partitionIndex) => ({ partitionIndex, highWatermark: 1, records })) }] },
  )
}

const frame = Buffer.alloc(16_388)
frame.writeInt32BE(16_384)
const stream = Buffer.concat(Array.from({ length: 40 }, () => frame))
const chunks = Array.from({ length: 10 }, (_, i) => stream.subarray(i * 65_536, (i + 1) * 65_536))
const splitter = new FrameSplitter({ maxFrameBytes: 1 << 20, onFrame: () => {} })
await time('16 KiB frames out of 64 KiB chunks, 640 KiB', () => chunks.forEach((chunk) => splitter.push(chunk)))
