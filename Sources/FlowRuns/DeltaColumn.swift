/// The column by which a table-based source tells new rows from old ones. The flow's first run fixes it; the service
/// patches it into the flow's `Copy` transformation and refuses a later run that tries to change it (tutorial on
/// on-demand ingestion).
package struct DeltaColumn: Hashable, Sendable {
    package let name: String
    /// How the source writes the column's dates, where it needs to be told.
    package let dateFormat: String?
    /// The time zone of the column's dates, where the source needs to be told.
    package let timezone: String?

    package init(name: String, dateFormat: String? = nil, timezone: String? = nil) {
        self.name = name
        self.dateFormat = dateFormat
        self.timezone = timezone
    }

    /// Whether both name the same column: the names are equal, and so are `dateFormat` and `timezone` wherever both
    /// sides give one.
    package func isSameColumn(as other: DeltaColumn) -> Bool {
        func agree(_ left: String?, _ right: String?) -> Bool {
            guard let left, let right else { return true }
            return left == right
        }
        return name == other.name && agree(dateFormat, other.dateFormat) && agree(timezone, other.timezone)
    }
}

/// What kind of source feeds a flow; only a table has a delta column.
package enum SourceKind: String, Hashable, Sendable, CaseIterable {
    /// Advertising, analytics, consent and preferences, CRM, customer success, database, marketing automation,
    /// payments, protocols.
    case table
    /// Cloud storage.
    case file
}
