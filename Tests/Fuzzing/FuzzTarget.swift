/// A reader of bytes from outside. Whatever the bytes are, it must come to an end, and what it makes of them must hold
/// together.
struct FuzzTarget: Sendable {
    /// As the command line and the corpus's folder call it.
    let name: String
    /// Reads the bytes, and throws where a promise is broken. It is not told which bytes are good.
    let check: @Sendable (_ bytes: [UInt8]) async throws -> Void

    static let all = [yaml, manifest, answer, plan, ledgerImport]
}

/// What does not hold of something that was read.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
}

func expect(_ holds: Bool, _ promise: @autoclosure () -> String) throws(BrokenPromise) {
    if !holds { throw BrokenPromise(description: promise()) }
}
