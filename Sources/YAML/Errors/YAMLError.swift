/// One thing wrong with a YAML file: where, what, and what to write instead.
public struct YAMLFault: Error, Hashable, Sendable {
    /// What sort of fault it is; the manifests' diagnostic codes follow it.
    public enum Kind: Hashable, Sendable {
        /// Not well-formed YAML; reading ends here.
        case syntax
        /// Bytes that are no text: invalid UTF-8 or UTF-16, NUL and other control characters; reading ends here.
        case encoding
        /// A directive other than `%YAML` and `%TAG`; reading ends here.
        case unknownDirective
        /// A `%YAML` version other than 1.1 and 1.2; reading ends here.
        case unknownVersion
        /// One key twice in a mapping.
        case duplicateKey
        /// A mapping's key that is a list or a mapping.
        case nonScalarKey
        /// An alias whose anchor does not stand before it.
        case undefinedAlias
        /// An alias inside what its anchor names.
        case recursiveAlias
        /// A merge key whose value is neither a mapping nor a list of mappings.
        case mergeValue
        /// Nested deeper than `ReadingLimits.depth`; reading ends here.
        case depth
        /// Aliases add more nodes than `ReadingLimits.aliasNodes`; reading ends here.
        case aliasNodes
        /// More bytes than `ReadingLimits.bytes`; nothing is read.
        case size
        /// As many faults as anyone will read; reading ends here.
        case tooManyFaults
        /// libyaml could not get the memory it asked for; reading ends here.
        case memory
    }

    /// Another place that the fault has to do with, such as the first of two equal keys.
    public struct Note: Hashable, Sendable {
        /// The other place.
        public let mark: Mark
        /// What stands there.
        public let message: String

        /// A note on the place `mark`.
        public init(mark: Mark, message: String) {
            self.mark = mark
            self.message = message
        }
    }

    /// What sort of fault it is.
    public let kind: Kind
    /// The place that is at fault.
    public let start: Mark
    /// Exclusive; `nil` when the fault is a point.
    public let end: Mark?
    /// What is wrong, one sentence without a full stop.
    public let message: String
    /// What to write instead, when that can be told.
    public let suggestion: String?
    /// Another place to look at.
    public let note: Note?

    /// A fault at the half-open span `[start, end)`.
    public init(
        _ kind: Kind, start: Mark, end: Mark? = nil, _ message: String, suggestion: String? = nil, note: Note? = nil
    ) {
        self.kind = kind
        self.start = start
        self.end = end
        self.message = message
        self.suggestion = suggestion
        self.note = note
    }
}
