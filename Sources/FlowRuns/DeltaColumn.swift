/// The column that a table-based source uses to detect new rows. The flow's first run fixes the column: the service
/// patches it into the flow's `Copy` transformation and rejects a later run that tries to change it (tutorial on
/// on-demand ingestion).
package struct DeltaColumn: Hashable, Sendable {
    package var name: String
    /// The format of the column's dates, for sources that require one.
    package var dateFormat: String?
    /// The time zone of the column's dates, for sources that require one.
    package var timezone: String?

    package init(name: String, dateFormat: String? = nil, timezone: String? = nil) {
        self.name = name
        self.dateFormat = dateFormat
        self.timezone = timezone
    }

    /// Whether both values name the same column: equal names, and equal `dateFormat` and `timezone` wherever both sides
    /// give one.
    package func isSameColumn(as other: DeltaColumn) -> Bool {
        func agree(_ left: String?, _ right: String?) -> Bool {
            guard let left, let right else { return true }
            return left == right
        }
        return name == other.name && agree(dateFormat, other.dateFormat) && agree(timezone, other.timezone)
    }
}

/// The kind of source that feeds a flow. Only tables have a delta column.
package enum SourceKind: String, Hashable, Sendable, CaseIterable {
    /// A table-based source: advertising, analytics, consent and preferences, CRM, customer success, database,
    /// marketing automation, payments or protocols.
    case table
    /// A file-based source: cloud storage.
    case file
}
