/// The errors of a file after which reading could go on: one for each place, at most a thousand.
struct ErrorList {
    private static let most = 1_000
    private var errors: [YAMLError] = []

    var sorted: [YAMLError] { errors.sorted { $0.start < $1.start } }

    /// Throws when there are so many that reading on makes no sense.
    mutating func add(_ error: YAMLError) throws(YAMLError) {
        if errors.contains(where: { $0.start == error.start }) { return }
        guard errors.count < Self.most else {
            throw YAMLError(
                .tooManyErrors, start: error.start,
                "the file has more than \(Self.most) errors; the rest was not read")
        }
        errors.append(error)
    }

    /// The error that ended the reading always has its place in the list.
    mutating func addLast(_ error: YAMLError) { errors.append(error) }
}
