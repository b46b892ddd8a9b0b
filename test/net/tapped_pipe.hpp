// A signaling pipe with somebody in between.
#pragma once

#include <asiortc/signaling_pipe.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace asiortc::test {

/// One end of a pipe whose outgoing signals a function may read, change, or keep back.
class tapped_pipe final : public signaling_pipe {
 public:
  /// False: the signal is lost.
  using function = std::function<bool(peer_signal&)>;

  tapped_pipe(std::shared_ptr<signaling_pipe> end, function tap)
      : end_(std::move(end)), tap_(std::move(tap)) {}

  bool send(peer_signal value) override { return !tap_(value) || end_->send(std::move(value)); }
  void close() override { end_->close(); }
  [[nodiscard]] std::optional<bool> polite() const override { return end_->polite(); }

 protected:
  void start_receive(receive_handler handler) override { end_->async_receive(std::move(handler)); }

 private:
  std::shared_ptr<signaling_pipe> end_;
  function tap_;
};

}  // namespace asiortc::test
