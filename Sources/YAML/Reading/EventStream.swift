import CLibYAML

/// The stream of libyaml's events. Owns libyaml's parser and the current event, and frees both however reading ends.
/// Pointers in an event are valid until the next call of ``next()``.
struct EventStream: ~Copyable {
    typealias CText = UnsafePointer<UInt8>

    struct Event {
        enum Content {
            case documentStart
            case documentEnd
            case alias(CText)
            case scalar(UnsafeBufferPointer<UInt8>, isPlain: Bool, tag: CText?, anchor: CText?)
            case collectionStart(YAMLNode.Kind, isFlow: Bool, tag: CText?, anchor: CText?)
            case collectionEnd
        }

        let content: Content
        let start: Mark
        let end: Mark
    }

    /// The reason why libyaml stopped, in libyaml's own words.
    struct ParserError: Error {
        let error: yaml_error_type_t
        let problem: String
        let mark: Mark
        let context: String
        let contextMark: Mark
        /// The byte offset of a reader error, which has no mark. `value` is the value found there, or -1.
        let offset: Int
        let value: Int
    }

    // libyaml stores a pointer to the parser inside the parser itself, so the parser must not move.
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let event = UnsafeMutablePointer<yaml_event_t>.allocate(capacity: 1)
    private let isReady: Bool

    /// - Parameter input: the bytes of the file: not empty, and alive as long as the stream.
    init(_ input: UnsafeBufferPointer<UInt8>) {
        parser.initialize(to: yaml_parser_t())
        event.initialize(to: yaml_event_t())
        isReady = yaml_parser_initialize(parser) == 1
        if isReady { yaml_parser_set_input_string(parser, input.baseAddress, input.count) }
    }

    deinit {
        yaml_event_delete(event)
        yaml_parser_delete(parser)
        event.deallocate()
        parser.deallocate()
    }

    /// Returns the next event, or `nil` at the end of the file. Must not be called again after the end or an error.
    mutating func next() throws(ParserError) -> Event? {
        while true {
            yaml_event_delete(event)
            guard isReady, yaml_parser_parse(parser, event) == 1 else { throw parserError }
            if event.pointee.type == YAML_STREAM_END_EVENT { return nil }
            if let content {
                return Event(content: content, start: Mark(event.pointee.start_mark), end: Mark(event.pointee.end_mark))
            }
        }
    }

    /// The content of the current event; `nil` for the start of the stream, which carries no information.
    private var content: Event.Content? {
        switch event.pointee.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.pointee.data.scalar
            let text = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            // yq and yamlfmt write `!!merge <<: *base`, which is the same as `<<: *base`.
            let isTaggedMergeKey =
                text.elementsEqual("<<".utf8) && scalar.tag.map { String(cString: $0) } == "tag:yaml.org,2002:merge"
            return .scalar(
                text,
                isPlain: isTaggedMergeKey || (scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil),
                tag: isTaggedMergeKey ? nil : CText(scalar.tag), anchor: CText(scalar.anchor))
        case YAML_MAPPING_START_EVENT:
            let mapping = event.pointee.data.mapping_start
            return .collectionStart(
                .mapping, isFlow: mapping.style == YAML_FLOW_MAPPING_STYLE, tag: CText(mapping.tag),
                anchor: CText(mapping.anchor))
        case YAML_SEQUENCE_START_EVENT:
            let sequence = event.pointee.data.sequence_start
            return .collectionStart(
                .sequence, isFlow: sequence.style == YAML_FLOW_SEQUENCE_STYLE, tag: CText(sequence.tag),
                anchor: CText(sequence.anchor))
        case YAML_MAPPING_END_EVENT, YAML_SEQUENCE_END_EVENT: return .collectionEnd
        case YAML_ALIAS_EVENT: return event.pointee.data.alias.anchor.map { .alias(CText($0)) }
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        default: return nil
        }
    }

    private var parserError: ParserError {
        let state = parser.pointee
        return ParserError(
            error: isReady ? state.error : YAML_MEMORY_ERROR,
            problem: state.problem.map { String(cString: $0) } ?? "",
            mark: Mark(state.problem_mark),
            context: state.context.map { String(cString: $0) } ?? "",
            contextMark: Mark(state.context_mark),
            offset: state.problem_offset, value: Int(state.problem_value))
    }
}

extension Mark {
    /// Converts libyaml's lines and columns, which start at 0.
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: mark.line + 1, column: mark.column + 1) }
}
