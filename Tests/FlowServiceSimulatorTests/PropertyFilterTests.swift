import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

@Suite("Property filters")
struct PropertyFilterTests {
    private static let item = #"""
        {"id":"A1","name":"Contacts","version":3,"enabled":true,"startedAtUTC":1596656058198,"none":null,
        "metrics":{"statusSummary":{"status":"failed"},"recordSummary":{"failedRecordCount":7}},
        "transformations":[{"name":"Copy","params":{"deltaColumn":{"name":"DOB"}}},{"name":"Mapping","tags":["x","y"]}]}
        """#

    private func matches(_ text: String) throws -> Bool { try PropertyFilter(text).matches(try json(Self.item)) }

    @Test(
        "a matching property is kept: case-insensitive words, numbers, nested paths, lists of values and arrays",
        arguments: [
            "id==A1", "id==a1", "id==B2,A1", #"name=="contacts""#, "name~tact", "name~TACT", "id!=B2", "id!=B2,C3",
            "version==3.0", "version>2", "version>=3", "version<4", "version<=3", "version!=4", "enabled==TRUE",
            "startedAtUTC>1593134665781", "metrics.statusSummary.status==Failed",
            "metrics.recordSummary.failedRecordCount>=7", "transformations[].name==Copy",
            "transformations[].name==mapping", "transformations[].params.deltaColumn.name==DOB",
            "transformations[].tags[]==y", "missing!=x", "name<d",
        ])
    func kept(text: String) throws { #expect(try matches(text)) }

    @Test(
        "a different or missing property is filtered out",
        arguments: [
            "id==A", "id==B2,C3", "id!=a1", "id!=B2,A1", "version>3", "version<3", "version==x", "enabled==false",
            "metrics.statusSummary.status==success", "metrics.status==failed", "transformations.name==Copy",
            "name[]==Contacts", "missing==x", "missing>0", "none==null", "metrics==x", "name~z",
        ])
    func leftOut(text: String) throws { #expect(!(try matches(text))) }
}
