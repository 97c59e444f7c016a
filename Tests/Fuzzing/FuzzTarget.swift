/// A parser of untrusted bytes, which must terminate with consistent results for any input.
struct FuzzTarget: Sendable {
    /// The name on the command line and of the corpus folder.
    let name: String
    /// Parses the bytes, and throws if a result is inconsistent. Invalid bytes are not an error.
    let check: @Sendable (_ bytes: [UInt8]) async throws -> Void

    static let all = [yaml, manifest, answer, plan, ledgerImport]
}

/// An inconsistency in a parsed result.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
}

func expect(_ holds: Bool, _ promise: @autoclosure () -> String) throws(BrokenPromise) {
    if !holds { throw BrokenPromise(description: promise()) }
}
