import Manifests

extension Expectation {
    /// `0 records, and at least 1 is expected`; `nil` where there are enough.
    func shortfall(of records: Int64) -> String? {
        guard records < minimumRecords else { return nil }
        let expected = minimumRecords == 1 ? "1 is" : "\(grouped(Int(minimumRecords))) are"
        return "\(counted(Int(records), "record")), and at least \(expected) expected"
    }
}
