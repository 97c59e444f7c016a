import AsyncHTTPClient
import Foundation

/// A client that requests runs without Sluice.
struct ServiceByHand {
    let address: String

    /// Requests a run.
    ///
    /// - Parameter column: The delta column, for the first run of a flow.
    /// - Returns: The ID of the run.
    func createRun(flow: String, start: Int, end: Int, column: String? = nil) async throws -> String {
        struct Created: Decodable {
            let id: String
        }
        let delta = column.map { #","deltaColumn":{"name":"\#($0)"}"# } ?? ""
        let body =
            #"{"flowId":"\#(flow)","params":{"windowStartTime":"\#(start)","windowEndTime":"\#(end)"\#(delta)}}"#
        let (_, answer) = try await post("/runs", body)
        return try JSONDecoder().decode(Created.self, from: answer).id
    }

    /// Re-triggers a run.
    ///
    /// - Returns: The status code of the answer.
    func retrigger(_ run: String) async throws -> UInt { try await post("/runs/\(run)/action?op=re-trigger", nil).0 }

    private func post(_ path: String, _ body: String?) async throws -> (UInt, Data) {
        var request = HTTPClientRequest(url: address + path)
        request.method = .POST
        request.headers = [
            "Authorization": "Bearer token", "x-api-key": "key", "x-gw-ims-org-id": "1234@AdobeOrg",
            "x-sandbox-name": "prod", "Content-Type": "application/json",
        ]
        if let body { request.body = .bytes(Data(body.utf8)) }
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let content = try await answer.body.collect(upTo: 1 << 20)
        return (answer.status.code, Data(content.readableBytesView))
    }
}
