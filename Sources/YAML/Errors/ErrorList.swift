import Text

/// The errors of a file after which reading can continue: at most one per position, and at most a thousand.
struct ErrorList {
    private static let maxErrors = 1_000
    private var errors: [YAMLError] = []

    var sorted: [YAMLError] { errors.sorted { $0.start < $1.start } }

    /// Adds an error; throws if the list is full, because further errors would not help.
    mutating func add(_ error: YAMLError) throws(YAMLError) {
        if errors.contains(where: { $0.start == error.start }) { return }
        guard errors.count < Self.maxErrors else {
            throw YAMLError(
                .tooManyErrors, start: error.start,
                "the file has more than \(Self.maxErrors.grouped) errors; the rest was not read")
        }
        errors.append(error)
    }

    /// Adds the error that ended the reading, regardless of the limit.
    mutating func addFinal(_ error: YAMLError) { errors.append(error) }
}
