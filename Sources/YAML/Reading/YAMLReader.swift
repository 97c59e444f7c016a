/// How much a file may ask of its reader. What goes beyond is an error, found before the memory is spent.
package struct ReadingLimits: Hashable, Sendable {
    /// How deep collections may be nested, aliases expanded; at most 1,000 counts.
    package var depth = 64
    /// How many nodes a file's aliases may add, those under merge keys too.
    package var aliasNodes = 100_000
    /// How many bytes a file may have; at most 1 GiB counts.
    package var bytes = 64 << 20

    /// The limits that a manifest has unless it is told otherwise.
    package init() {}
}

/// Reads YAML 1.1 and 1.2 into flat documents. It never throws and never stops at the first error it can pass: what
/// is wrong comes back as values.
///
/// ```swift
/// let stream = YAMLReader().read(Array("start: 1651584991".utf8))
/// stream.documents.first?.root?.pairs.first { $0.key.hasText("start") }?.value.int64  // 1651584991
/// ```
package struct YAMLReader: Sendable {
    private var limits: ReadingLimits

    /// A reader that holds every file to `limits`.
    package init(limits: ReadingLimits = ReadingLimits()) {
        self.limits = limits
        self.limits.depth = min(limits.depth, 1_000)
        self.limits.bytes = min(limits.bytes, 1 << 30)
    }

    /// Reads all documents of a file.
    /// - Parameter bytes: a whole file, in UTF-8 or, with its byte order mark, in UTF-16.
    package func read(_ bytes: [UInt8]) -> YAMLStream {
        guard bytes.count <= limits.bytes else {
            let error = YAMLError(
                .size, start: Mark(line: 1, column: 1),
                "the file has \(bytes.count) bytes; the limit is \(limits.bytes)",
                suggestion: "split the file")
            return YAMLStream(documents: [], errors: [error])
        }
        guard !bytes.isEmpty else { return YAMLStream(documents: [], errors: []) }
        var composer = DocumentComposer(limits: limits, size: bytes.count)
        do throws(YAMLError) {
            try bytes.withUnsafeBufferPointer { (input) throws(YAMLError) in try compose(input, into: &composer) }
        } catch {
            composer.errors.addLast(error)
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
            try composer.take(event)
        }
    }
}

/// What a file holds.
package struct YAMLStream: Sendable {
    /// In order. When `errors` is not empty these are the documents that could be made out: all before the error that
    /// ended the reading, and each as far as its own errors let it make sense.
    package let documents: [YAMLDocument]
    /// By place.
    package let errors: [YAMLError]
}

/// One document of a file.
package struct YAMLDocument: Sendable {
    /// `nil` when nothing stands in the document.
    package let root: YAMLNode?
    /// Where its directives or its `---` stand or, without them, its first character.
    package let start: Mark
}
