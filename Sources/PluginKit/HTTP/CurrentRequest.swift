internal import CSluice

/// The request whose handler runs in the present task, named by the batches that it commits.
enum CurrentRequest {
  /// 0 outside of handlers of requests.
  @TaskLocal static var token: sluice_token_t = 0
}
