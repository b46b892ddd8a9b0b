#include "signaling/client_state.hpp"

#include <asiortc/signaling_client.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI {

signaling_client::signaling_client(boost::asio::any_io_executor executor,
                                   signaling_client_options options)
    : state_(std::make_shared<detail::client_state>(std::move(executor), std::move(options))) {
  state_->watch();
}

signaling_client::signaling_client(signaling_client&&) noexcept = default;

signaling_client& signaling_client::operator=(signaling_client&& other) noexcept {
  if (this == &other) return *this;
  if (state_) state_->abandon();
  state_ = std::move(other.state_);
  return *this;
}

signaling_client::~signaling_client() {
  if (state_) state_->abandon();
}

event_stream<signaling_event> signaling_client::events() const { return state_->events(); }
peer_id signaling_client::id() const { return state_->id(); }
std::vector<signaling_peer> signaling_client::peers() const { return state_->peers(); }
std::vector<ice_server> signaling_client::ice_servers() const { return state_->ice_servers(); }
std::string signaling_client::refusal() const { return state_->refusal(); }

std::shared_ptr<signaling_pipe> signaling_client::pipe_to(peer_id peer) const {
  return state_->pipe_to(peer);
}

void signaling_client::connect_operation::operator()(completion handler, state_ptr state,
                                                     std::string url) const {
  state->async_connect(std::move(url), std::move(handler));
}

void signaling_client::join_operation::operator()(completion handler, state_ptr state,
                                                  std::string room, std::string name) const {
  state->async_join(std::move(room), std::move(name), std::move(handler));
}

void signaling_client::close_operation::operator()(completion handler, state_ptr state) const {
  state->async_close(std::move(handler));
}

}  // namespace asiortc::inline ASIORTC_ABI
