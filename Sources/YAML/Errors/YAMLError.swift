/// One thing wrong with a YAML file: where, what, and what to write instead.
package struct YAMLError: Error, Hashable, Sendable {
    /// What sort of error it is; the manifests' diagnostic codes follow it.
    package enum Kind: Hashable, Sendable {
        /// Not well-formed YAML; reading ends here.
        case syntax
        /// Bytes that are no text: invalid UTF-8 or UTF-16, NUL and other control characters, and the characters of
        /// ``DeceptiveCharacter``; reading ends here.
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
        /// More than a thousand errors; reading ends here.
        case tooManyErrors
        /// libyaml could not get the memory it asked for; reading ends here.
        case memory
    }

    /// Another place that the error has to do with, such as the first of two equal keys.
    package struct Note: Hashable, Sendable {
        /// The other place.
        package let mark: Mark
        /// What is there.
        package let message: String

        /// A note on the place `mark`.
        package init(mark: Mark, message: String) {
            self.mark = mark
            self.message = message
        }
    }

    /// What sort of error it is.
    package let kind: Kind
    /// Where it is.
    package let start: Mark
    /// Exclusive; `nil` when the error is a point.
    package let end: Mark?
    /// What is wrong, one sentence without a full stop.
    package let message: String
    /// What to write instead, when that can be told.
    package let suggestion: String?
    /// Another place to look at.
    package let note: Note?

    /// An error at the half-open span `[start, end)`.
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
