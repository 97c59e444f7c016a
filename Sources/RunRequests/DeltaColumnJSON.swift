import FlowRuns
import Text

extension JSONText {
    /// The members of a delta column, as the service and every document of Sluice write them.
    package mutating func members(of column: DeltaColumn) {
        member("name", column.name)
        if let dateFormat = column.dateFormat { member("dateFormat", dateFormat) }
        if let timezone = column.timezone { member("timezone", timezone) }
    }
}
