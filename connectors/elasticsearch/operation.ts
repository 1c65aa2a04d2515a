/** What a version conflict says of a write. */
export type ConflictMeaning =
  /** The document has this or a newer version: nothing is to be done. */
  | 'newer'
  /** The id is of the record's place, so the document is this very record. */
  | 'same'
  /** Somebody else changed the document at the same time. */
  | 'race'

/** What operations of a kind on an index have in common: their lines of JSON but for id, version and document. */
export interface Frame {
  readonly index: string
  readonly beforeId: Buffer
  readonly beforeVersion: Buffer
  readonly beforeDocument: Buffer
  readonly afterDocument: Buffer
  readonly onConflict: ConflictMeaning
  /** Whether operations with the same id keep their order. */
  readonly isOrdered: boolean
}

/** One operation of a bulk request. It holds as little as may be, for thousands of them wait at a time. */
export interface Operation {
  readonly frame: Frame
  /** Null: the server makes one. */
  readonly id: string | null
  /** A whole number; null where there is none. */
  readonly version: number | string | null
  /** JSON of an object, as text or as the bytes that its record brought; empty where there is none. */
  readonly document: string | Uint8Array
}

export type OperationKind =
  | 'index'
  | 'index-versioned'
  | 'index-new'
  | 'update'
  | 'delete'
  | 'delete-versioned'
  | 'create'

const FRAMES_MAX = 10_000
const VERSION = ',"version":'
const VERSIONED = ',"version_type":"external"}}\n'

/** Makes the frames of operations, each once. */
export class Frames {
  readonly #retriesOnConflict: number
  readonly #frames = new Map<OperationKind, Map<string, Frame>>()

  constructor(retriesOnConflict: number) {
    this.#retriesOnConflict = retriesOnConflict
  }

  of(kind: OperationKind, index: string): Frame {
    let frames = this.#frames.get(kind)
    if (frames === undefined) this.#frames.set(kind, (frames = new Map<string, Frame>()))
    let frame = frames.get(index)
    if (frame === undefined) {
      if (frames.size >= FRAMES_MAX) frames.clear()
      frames.set(index, (frame = this.#make(kind, index)))
    }
    return frame
  }

  #make(kind: OperationKind, index: string): Frame {
    const make = (
      action: string,
      onConflict: ConflictMeaning,
      { isOrdered = true, beforeVersion = '', beforeDocument = '}}\n', afterDocument = '\n' },
    ): Frame => ({
      index,
      beforeId: Buffer.from(`{"${action}":{"_index":${JSON.stringify(index)}${kind === 'index-new' ? '' : ',"_id":'}`),
      beforeVersion: Buffer.from(beforeVersion),
      beforeDocument: Buffer.from(beforeDocument),
      afterDocument: Buffer.from(afterDocument),
      onConflict,
      isOrdered,
    })
    switch (kind) {
      case 'index':
        return make('index', 'newer', { isOrdered: false })
      case 'index-versioned':
        return make('index', 'newer', { beforeVersion: VERSION, beforeDocument: VERSIONED })
      case 'index-new':
        return make('index', 'race', { isOrdered: false })
      case 'update': {
        const beforeDocument = `,"retry_on_conflict":${this.#retriesOnConflict}}}\n{"doc":`
        return make('update', 'race', { beforeDocument, afterDocument: ',"doc_as_upsert":true}\n' })
      }
      case 'delete':
        return make('delete', 'race', { afterDocument: '' })
      case 'delete-versioned':
        return make('delete', 'newer', { beforeVersion: VERSION, beforeDocument: VERSIONED, afterDocument: '' })
      case 'create':
        return make('create', 'same', { isOrdered: false })
    }
  }
}
