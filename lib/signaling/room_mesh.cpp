#include "signaling/room_mesh_state.hpp"

#include <asiortc/room_mesh.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI {

room_mesh::room_mesh(boost::asio::any_io_executor executor, room_mesh_options options)
    : state_(detail::room_mesh_state::create(std::move(executor), std::move(options))) {}

room_mesh::room_mesh(room_mesh&&) noexcept = default;

room_mesh& room_mesh::operator=(room_mesh&& other) noexcept {
  if (this == &other) return *this;
  if (state_) state_->abandon();
  state_ = std::move(other.state_);
  return *this;
}

room_mesh::~room_mesh() {
  if (state_) state_->abandon();
}

mesh_id room_mesh::id() const { return state_->id(); }
std::vector<signaling_peer> room_mesh::members() const { return state_->members(); }
bool room_mesh::has_peer(mesh_id id) const { return state_->net.has_peer(id); }
std::optional<mesh_peer_info> room_mesh::get_peer(mesh_id id) const {
  return state_->net.get_peer(id);
}
std::vector<mesh_peer_info> room_mesh::get_peers() const { return state_->net.get_peers(); }
std::size_t room_mesh::max_packet_size() const { return state_->net.max_packet_size(); }
std::string room_mesh::last_error_detail() const { return state_->last_error_detail(); }
std::optional<mesh_packet> room_mesh::try_receive() { return state_->net.try_receive(); }
event_stream<mesh_packet> room_mesh::packets() const { return state_->net.packets(); }
event_stream<mesh_event> room_mesh::events() const { return event_stream(state_->events); }

void room_mesh::join_operation::operator()(detail::void_completion handler, state_ptr state,
                                           std::string url, std::string room) const {
  state->start_join(std::move(handler), std::move(url), std::move(room));
}

void room_mesh::send_operation::operator()(detail::void_completion handler, state_ptr state,
                                           mesh_id target, std::vector<std::uint8_t> bytes,
                                           transfer_mode mode) const {
  state->net.async_send(target, std::move(bytes), mode, std::move(handler));
}

void room_mesh::close_operation::operator()(detail::void_completion handler,
                                            state_ptr state) const {
  state->start_close(std::move(handler));
}

}  // namespace asiortc::inline ASIORTC_ABI
