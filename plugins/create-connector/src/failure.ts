/** What can go wrong, for programs that read `--json`. */
export type FailureCode =
  | 'USAGE'
  | 'BAD_NAME'
  | 'FOLDER_EXISTS'
  | 'NO_PARENT_FOLDER'
  | 'NO_NPM'
  | 'INSTALL_FAILED'
  | 'BUILD_FAILED'
  | 'TEST_FAILED'
  | 'INTERRUPTED'

/** A failure that the caller can do something about; shown without a stack. */
export class Failure extends Error {
  override name = 'Failure'
  readonly code: FailureCode

  constructor(code: FailureCode, message: string) {
    super(message)
    this.code = code
  }
}
