import { mapOf, type Schema, schemas, struct } from '@millrace/sdk'
import type { ColumnCodec } from './column-codec.ts'

const pointSchema = (doc: string): Schema =>
  struct(
    { x: schemas.float64, y: schemas.float64, wkb: schemas.optional.bytes, srid: schemas.optional.int32 },
    { name: 'io.debezium.data.geometry.Point', version: 1, doc },
  )

const geometrySchema = struct(
  {
    wkb: schemas.bytes,
    srid: schemas.optional.int32,
    extensions: mapOf(schemas.string, schemas.string, { optional: true }),
  },
  { name: 'io.debezium.data.geometry.Geometry', version: 2, doc: 'Geometry' },
)

const WKB_POINT = 1
const WKB_LINE_STRING = 2
const WKB_POLYGON = 3

type Pair = readonly [number, number]

/** Well-known binary, little endian. */
function wkb(type: number, points: readonly Pair[]): Buffer {
  const counts = type === WKB_POINT ? [] : type === WKB_POLYGON ? [1, points.length] : [points.length]
  const buffer = Buffer.alloc(5 + counts.length * 4 + points.length * 16)
  buffer[0] = 1
  let position = buffer.writeUInt32LE(type, 1)
  for (const count of counts) position = buffer.writeUInt32LE(count, position)
  for (const [x, y] of points) position = buffer.writeDoubleLE(y, buffer.writeDoubleLE(x, position))
  return buffer
}

const numbers = (text: string): number[] => (text.match(/-?(?:Infinity|NaN|[\d.]+(?:e[+-]?\d+)?)/g) ?? []).map(Number)

function pairs(text: string): Pair[] {
  const values = numbers(text)
  return Array.from({ length: values.length >> 1 }, (_, index) => [
    values[index * 2] as number,
    values[index * 2 + 1] as number,
  ])
}

const pointOf = (x: number, y: number): object => ({ x, y, wkb: wkb(WKB_POINT, [[x, y]]), srid: null })

const geometry = (type: number, points: readonly Pair[], extensions: Readonly<Record<string, string>>): object => ({
  wkb: wkb(type, points),
  srid: null,
  extensions: new Map(Object.entries(extensions)),
})

export const pointCodec: ColumnCodec = {
  schema: pointSchema('Geometry (POINT)'),
  value: (text) => {
    const [x = 0, y = 0] = numbers(text)
    return pointOf(x, y)
  },
  fallback: pointOf(0, 0),
}

/** A box is `(high),(low)`; its ring starts at the high corner. */
function boxRing(text: string): Pair[] {
  const [x2 = 0, y2 = 0, x1 = 0, y1 = 0] = numbers(text)
  return [
    [x2, y2],
    [x2, y1],
    [x1, y1],
    [x1, y2],
    [x2, y2],
  ]
}

function polygonRing(text: string): Pair[] {
  const ring = pairs(text)
  return ring[0] === undefined ? ring : [...ring, ring[0]]
}

const geometryCodec = (value: (text: string) => object): ColumnCodec => ({
  schema: geometrySchema,
  value,
  fallback: geometry(WKB_POINT, [[0, 0]], {}),
})

export const boxCodec = geometryCodec((text) => geometry(WKB_POLYGON, boxRing(text), { type: 'box' }))
export const lsegCodec = geometryCodec((text) => geometry(WKB_LINE_STRING, pairs(text), { type: 'lseg' }))
export const pathCodec = geometryCodec((text) =>
  geometry(WKB_LINE_STRING, pairs(text), { type: 'path', closed: String(text.startsWith('(')) }),
)
export const polygonCodec = geometryCodec((text) => geometry(WKB_POLYGON, polygonRing(text), { type: 'polygon' }))

export const circleCodec: ColumnCodec = {
  schema: struct(
    { center: pointSchema('Geometry (POINT)'), radius: schemas.float64 },
    { name: 'io.debezium.data.geometry.Circle', version: 1, doc: 'Geometry (CIRCLE)' },
  ),
  value: (text) => {
    const [x = 0, y = 0, radius = 0] = numbers(text)
    return { center: pointOf(x, y), radius }
  },
  fallback: { center: pointOf(0, 0), radius: 0 },
}

export const lineCodec: ColumnCodec = {
  schema: struct(
    { a: schemas.float64, b: schemas.float64, c: schemas.float64 },
    { name: 'io.debezium.data.geometry.Line', version: 1, doc: 'Geometry (LINE)' },
  ),
  value: (text) => {
    const [a = 0, b = 0, c = 0] = numbers(text)
    return { a, b, c }
  },
  fallback: { a: 0, b: 0, c: 0 },
}
