import Text

/// The resource limits for reading one file. Exceeding a limit is an error, found before the memory is used.
package struct ReadingLimits: Hashable, Sendable {
    /// The maximum nesting depth of collections, with aliases expanded; at most 1,000.
    package var depth = 64
    /// The maximum number of nodes that a file's aliases may add, including those under merge keys.
    package var aliasNodes = 100_000
    /// The maximum size of a file in bytes; at most 1 GiB.
    package var bytes = 64 << 20

    /// Creates the default limits of a manifest.
    package init() {}
}

/// A reader of YAML 1.1 and 1.2 that produces flat documents. Reading never throws and continues after an error where
/// possible; errors are returned as values.
///
/// ```swift
/// let stream = YAMLReader().read(Array("start: 1651584991".utf8))
/// stream.documents.first?.root?.pairs.first { $0.key.hasText("start") }?.value.int64  // 1651584991
/// ```
package struct YAMLReader: Sendable {
    private var limits: ReadingLimits

    /// Creates a reader that enforces `limits` on every file.
    package init(limits: ReadingLimits = ReadingLimits()) {
        self.limits = limits
        self.limits.depth = min(limits.depth, 1_000)
        self.limits.bytes = min(limits.bytes, 1 << 30)
    }

    /// Reads all documents of a file.
    ///
    /// - Parameter bytes: a whole file, in UTF-8, or in UTF-16 with a byte order mark.
    package func read(_ bytes: [UInt8]) -> YAMLStream {
        guard bytes.count <= limits.bytes else {
            let error = YAMLError(
                .size, start: Mark(line: 1, column: 1),
                "the file has \(bytes.count.grouped) bytes; the limit is \(limits.bytes.grouped)",
                suggestion: "split the file")
            return YAMLStream(documents: [], errors: [error])
        }
        guard !bytes.isEmpty else { return YAMLStream(documents: [], errors: []) }
        var composer = DocumentComposer(limits: limits, size: bytes.count)
        do throws(YAMLError) {
            try bytes.withUnsafeBufferPointer { (input) throws(YAMLError) in try compose(input, into: &composer) }
        } catch {
            composer.errors.addFinal(error)
        }
        return composer.finish()
    }

    private func compose(
        _ input: UnsafeBufferPointer<UInt8>, into composer: inout DocumentComposer
    ) throws(YAMLError) {
        if let error = DeceptiveCharacter.first(in: input) { throw error }
        var events = EventStream(input)
        while true {
            let event: EventStream.Event?
            do {
                event = try events.next()
            } catch {
                throw YAMLError(error, in: input)
            }
            guard let event else { return }
            if case .scalar(let text, isPlain: true, _, _) = event.content,
                let error = UnusualSpace.error(inPlain: text, start: event.start, input)
            {
                throw error
            }
            try composer.consume(event)
        }
    }
}

/// The contents of a file.
package struct YAMLStream: Sendable {
    /// The documents, in order. If `errors` is not empty, these are the documents that could be read: all that end
    /// before the error that stopped the reading, each as complete as its own errors allow.
    package let documents: [YAMLDocument]
    /// The errors, sorted by position.
    package let errors: [YAMLError]
}

/// One document of a file.
package struct YAMLDocument: Sendable {
    /// The root node; `nil` if the document is empty.
    package let root: YAMLNode?
    /// The position of the document's directives or `---`, or else of its first character.
    package let start: Mark
}
