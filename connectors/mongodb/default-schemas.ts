import { arrayOf, type Schema, schemas, struct } from '@millrace/sdk'

const { optional } = schemas

const namespace = (name: string): Schema =>
  struct({ db: schemas.string, coll: optional.string }, { name, optional: true })

/** The key of records whose key has no schema of its own. */
export const keySchema = struct({ _id: schemas.string }, { name: 'keySchema' })

/** A change event, with its documents as text. */
export const changeEventSchema = struct(
  {
    _id: schemas.string,
    operationType: optional.string,
    fullDocumentBeforeChange: optional.string,
    fullDocument: optional.string,
    ns: namespace('ns'),
    to: namespace('to'),
    documentKey: optional.string,
    updateDescription: struct(
      {
        updatedFields: optional.string,
        removedFields: arrayOf(schemas.string, { optional: true }),
        truncatedArrays: arrayOf(
          struct({ field: schemas.string, newSize: schemas.int32 }, { name: 'truncatedArray' }),
          {
            optional: true,
          },
        ),
        disambiguatedPaths: optional.string,
      },
      { name: 'updateDescription', optional: true },
    ),
    clusterTime: optional.string,
    wallTime: optional.int64,
    txnNumber: optional.int64,
    lsid: struct({ id: schemas.string, uid: schemas.string }, { name: 'lsid', optional: true }),
  },
  { name: 'ChangeStream' },
)
