/// The faults of a file that reading could pass. One for each place is enough, and so is a thousand.
struct FaultList {
    private static let most = 1_000
    private var faults: [YAMLFault] = []

    var sorted: [YAMLFault] { faults.sorted { $0.start < $1.start } }

    /// Throws when there are so many that reading on makes no sense.
    mutating func add(_ fault: YAMLFault) throws(YAMLFault) {
        if faults.contains(where: { $0.start == fault.start }) { return }
        guard faults.count < Self.most else {
            throw YAMLFault(
                .tooManyFaults, start: fault.start,
                "the file has more than \(Self.most) faults; the rest of it was not read")
        }
        faults.append(fault)
    }

    /// The fault that ended the reading always has its place in the list.
    mutating func addLast(_ fault: YAMLFault) { faults.append(fault) }
}
