import Text

extension JSONText {
    /// Writes the members of a delta column in the service's format, which all Sluice documents share.
    package mutating func members(of column: DeltaColumn) {
        member("name", column.name)
        if let dateFormat = column.dateFormat { member("dateFormat", dateFormat) }
        if let timezone = column.timezone { member("timezone", timezone) }
    }
}
