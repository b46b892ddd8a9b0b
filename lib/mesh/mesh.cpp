#include "mesh/mesh_state.hpp"

#include <asiortc/mesh.hpp>

#include <utility>

namespace asiortc::inline ASIORTC_ABI {

mesh::mesh(boost::asio::any_io_executor executor, mesh_id id, mesh_options options)
    : state_(detail::mesh_state::create(std::move(executor), id, options)) {}

mesh::mesh(mesh&&) noexcept = default;

mesh& mesh::operator=(mesh&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

mesh::~mesh() { close(); }

void mesh::close() {
  if (state_) state_->abort();
}

void mesh::add_peer(peer_connection&& connection, mesh_id id,
                    std::chrono::milliseconds unreliable_lifetime) {
  state_->add_peer(std::move(connection), id, unreliable_lifetime);
}

void mesh::remove_peer(mesh_id id) { state_->remove_peer(id); }
bool mesh::has_peer(mesh_id id) const { return state_->get_peer(id).has_value(); }
std::optional<mesh_peer_info> mesh::get_peer(mesh_id id) const { return state_->get_peer(id); }
std::vector<mesh_peer_info> mesh::get_peers() const { return state_->get_peers(); }
mesh_id mesh::id() const { return state_->id(); }
void mesh::set_id(mesh_id id) { state_->set_id(id); }
mesh_status mesh::connection_status() const { return state_->status(); }
void mesh::set_refuse_new_connections(bool refuse) { state_->set_refuse(refuse); }
bool mesh::refuse_new_connections() const { return state_->refuses(); }
std::size_t mesh::max_packet_size() const { return state_->max_packet_size(); }
std::string mesh::last_error_detail() const { return state_->last_error_detail(); }
std::optional<mesh_packet> mesh::try_receive() { return state_->packets->try_pop(); }
event_stream<mesh_packet> mesh::packets() const { return event_stream(state_->packets); }
event_stream<mesh_event> mesh::events() const { return event_stream(state_->events); }

void mesh::send_operation::operator()(detail::void_completion handler, state_ptr state,
                                      mesh_id target, std::vector<std::uint8_t> bytes,
                                      transfer_mode mode) const {
  state->start_send(std::move(handler), target, std::move(bytes), mode);
}

void mesh::close_operation::operator()(detail::void_completion handler, state_ptr state) const {
  state->start_close(std::move(handler));
}

}  // namespace asiortc::inline ASIORTC_ABI
