import Manifests

extension Expectation {
    /// Describes a lack of records, such as `0 records, and at least 1 is expected`; returns `nil` if there are enough.
    func shortfall(of records: Int64) -> String? {
        guard records < minimumRecords else { return nil }
        let expected = minimumRecords == 1 ? "1 is" : "\(grouped(Int(minimumRecords))) are"
        return "\(counted(Int(records), "record")), and at least \(expected) expected"
    }
}
