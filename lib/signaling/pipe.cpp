#include "signaling/pipe_queue.hpp"

#include <asiortc/detail/event_queue_impl.hpp>
#include <asiortc/error.hpp>
#include <asiortc/signaling_pipe.hpp>

namespace asiortc::inline ASIORTC_ABI::detail {

template class event_queue<peer_signal>;

}  // namespace asiortc::inline ASIORTC_ABI::detail

namespace asiortc::signaling {

std::size_t size_of(const peer_signal& value) {
  if (const auto* description = std::get_if<session_description>(&value)) {
    return sizeof(peer_signal) + description->sdp.size();
  }
  const auto& candidate = std::get<ice_candidate>(value);
  return sizeof(peer_signal) + candidate.candidate.size() +
         candidate.sdp_mid.value_or(std::string()).size() +
         candidate.username_fragment.value_or(std::string()).size();
}

pipe_queue::pipe_queue(boost::asio::any_io_executor executor)
    : bytes_(std::make_shared<std::atomic<std::size_t>>(0)),
      queue_(std::make_shared<detail::event_queue<peer_signal>>(std::move(executor), max_signals)) {
  queue_->set_pop_hook([bytes = bytes_](const peer_signal& taken) { *bytes -= size_of(taken); });
}

bool pipe_queue::push(peer_signal value) {
  const std::size_t size = size_of(value);
  const bool fits = bytes_->fetch_add(size) + size <= max_bytes;
  if (fits && queue_->push(std::move(value))) return true;
  *bytes_ -= size;
  end(errc::limit_reached);
  return false;
}

void pipe_queue::end(boost::system::error_code reason) {
  ended_ = true;
  queue_->end(reason);
}

namespace {

class memory_pipe final : public signaling_pipe {
 public:
  memory_pipe(std::shared_ptr<pipe_queue> inbox, std::shared_ptr<pipe_queue> outbox, bool polite)
      : inbox_(std::move(inbox)), outbox_(std::move(outbox)), polite_(polite) {}
  ~memory_pipe() override { end(); }

  bool send(peer_signal value) override { return outbox_->push(std::move(value)); }
  void close() override { end(); }
  [[nodiscard]] std::optional<bool> polite() const override { return polite_; }

 protected:
  void start_receive(receive_handler handler) override { inbox_->async_pop(std::move(handler)); }

 private:
  void end() {
    inbox_->end({});
    outbox_->end(errc::remote_closed);
  }

  std::shared_ptr<pipe_queue> inbox_;
  std::shared_ptr<pipe_queue> outbox_;
  bool polite_;
};

}  // namespace
}  // namespace asiortc::signaling

namespace asiortc::inline ASIORTC_ABI {

std::pair<std::shared_ptr<signaling_pipe>, std::shared_ptr<signaling_pipe>>
make_signaling_pipe_pair(boost::asio::any_io_executor executor) {
  using signaling::memory_pipe;
  const auto to_first = std::make_shared<signaling::pipe_queue>(executor);
  const auto to_second = std::make_shared<signaling::pipe_queue>(std::move(executor));
  return {std::make_shared<memory_pipe>(to_first, to_second, false),
          std::make_shared<memory_pipe>(to_second, to_first, true)};
}

}  // namespace asiortc::inline ASIORTC_ABI
