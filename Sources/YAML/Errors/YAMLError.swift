/// An error in a YAML file: its position, a message and a suggestion.
package struct YAMLError: Error, Hashable, Sendable {
    /// The kind of an error, from which manifests derive their diagnostic codes.
    package enum Kind: Hashable, Sendable {
        /// Malformed YAML; reading stops here.
        case syntax
        /// Bytes that are no text: invalid UTF-8 or UTF-16, NUL and other control characters, and the characters of
        /// `DeceptiveCharacter`; reading ends here.
        case encoding
        /// A directive other than `%YAML` and `%TAG`; reading stops here.
        case unknownDirective
        /// A `%YAML` version other than 1.1 and 1.2; reading stops here.
        case unknownVersion
        /// A key that occurs twice in a mapping.
        case duplicateKey
        /// A mapping key that is a list or a mapping.
        case nonScalarKey
        /// An alias without an earlier anchor.
        case undefinedAlias
        /// An alias inside the node that its anchor names.
        case recursiveAlias
        /// A merge key whose value is neither a mapping nor a list of mappings.
        case mergeValue
        /// Nesting deeper than `ReadingLimits.depth`; reading stops here.
        case depth
        /// Aliases that add more nodes than `ReadingLimits.aliasNodes`; reading stops here.
        case aliasNodes
        /// A file larger than `ReadingLimits.bytes`; nothing is read.
        case size
        /// More than a thousand errors; reading stops here.
        case tooManyErrors
        /// An allocation failure in libyaml; reading stops here.
        case memory
    }

    /// A related position, such as the first of two equal keys.
    package struct Note: Hashable, Sendable {
        /// The related position.
        package let mark: Mark
        /// The relation to the error, such as `first used here`.
        package let message: String

        /// Creates a note on the position `mark`.
        package init(mark: Mark, message: String) {
            self.mark = mark
            self.message = message
        }
    }

    /// The kind of the error.
    package let kind: Kind
    /// The start of the error.
    package let start: Mark
    /// The end of the error, exclusive; `nil` if the error is a single point.
    package let end: Mark?
    /// The problem in one sentence, without a full stop.
    package let message: String
    /// The suggested fix, if there is one.
    package let suggestion: String?
    /// A related position.
    package let note: Note?

    /// Creates an error for the half-open span `[start, end)`.
    package init(
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
