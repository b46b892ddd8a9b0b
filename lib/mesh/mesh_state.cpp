// The life of a mesh, and what it shows.
#include "mesh/mesh_state.hpp"

#include <asiortc/detail/event_queue_impl.hpp>
#include <asiortc/error.hpp>

#include <boost/asio/strand.hpp>

#include <algorithm>
#include <limits>

namespace asiortc::inline ASIORTC_ABI::detail {

template class event_queue<mesh_event>;
template class event_queue<mesh_packet>;

namespace {

template <class T>
std::shared_ptr<event_queue<T>> make_stream(const boost::asio::any_io_executor& executor) {
  auto made = std::make_shared<event_queue<T>>(executor);
  made->watch();
  return made;
}

void check_options(const mesh_options& options) {
  const auto refuse = [](const char* what) { throw error(errc::type_error, what); };
  if (options.disconnected_grace < std::chrono::milliseconds(0)) {
    refuse("mesh: disconnected_grace is negative");
  }
  if (options.max_peers == 0) refuse("mesh: max_peers is 0");
  if (options.max_packet_size == 0) refuse("mesh: max_packet_size is 0");
  if (options.receive_budget < options.max_packet_size) {
    refuse("mesh: receive_budget is below max_packet_size");
  }
}

void check_own_id(mesh_id id) {
  if (id >= 1) return;
  throw error(errc::type_error, "mesh: the id " + std::to_string(id) + " is not from 1 to " +
                                    std::to_string(std::numeric_limits<mesh_id>::max()));
}

}  // namespace

std::shared_ptr<mesh_state> mesh_state::create(boost::asio::any_io_executor executor, mesh_id id,
                                               mesh_options options) {
  check_own_id(id);
  check_options(options);
  auto made = std::make_shared<mesh_state>(executor, id, options);
  made->watch_context(executor);
  made->packets->set_pop_hook([weak = std::weak_ptr<mesh_state>(made)](const mesh_packet& taken) {
    if (const auto held = weak.lock()) held->note_taken(taken);
  });
  return made;
}

mesh_state::mesh_state(boost::asio::any_io_executor executor, mesh_id id, mesh_options options)
    : events(make_stream<mesh_event>(executor)),
      packets(make_stream<mesh_packet>(executor)),
      options_(options),
      executor_(std::move(executor)),
      strand_(boost::asio::make_strand(executor_)),
      id_(id),
      status_(has_server() ? mesh_status::connecting : mesh_status::connected),
      refuse_(options_.refuse_new_connections) {}

std::shared_ptr<mesh_state> mesh_state::self() {
  return std::static_pointer_cast<mesh_state>(shared_from_this());
}

mesh_peer_info mesh_state::describe(const mesh_member& member) {
  mesh_peer_info info;
  info.id = member.id;
  info.connected = member.up;
  info.connection = member.connection;
  info.reliable = member.channel_state(transfer_mode::reliable);
  info.ordered = member.channel_state(transfer_mode::unreliable_ordered);
  info.unreliable = member.channel_state(transfer_mode::unreliable);
  for (const auto& channel : member.channels) {
    if (channel) info.buffered_amount += channel.buffered_amount();
  }
  return info;
}

std::optional<mesh_peer_info> mesh_state::get_peer(mesh_id id) const {
  const guard lock(mutex_);
  const auto found = peers_.find(id);
  if (found == peers_.end()) return std::nullopt;
  return describe(*found->second);
}

std::vector<mesh_peer_info> mesh_state::get_peers() const {
  const guard lock(mutex_);
  std::vector<mesh_peer_info> all;
  all.reserve(peers_.size());
  for (const auto& [id, member] : peers_) all.push_back(describe(*member));
  return all;
}

mesh_id mesh_state::id() const {
  const guard lock(mutex_);
  return id_;
}

void mesh_state::set_id(mesh_id id) {
  check_own_id(id);
  const guard lock(mutex_);
  if (options_.server_compatibility) {
    throw error(errc::invalid_state, "set_id: who is the server depends on the id");
  }
  if (peers_.contains(id)) {
    throw error(errc::operation_error,
                "set_id: the id " + std::to_string(id) + " is that of a peer");
  }
  id_ = id;
}

mesh_status mesh_state::status() const {
  const guard lock(mutex_);
  return status_;
}

void mesh_state::set_refuse(bool refuse) {
  const guard lock(mutex_);
  refuse_ = refuse;
}

bool mesh_state::refuses() const {
  const guard lock(mutex_);
  return refuse_;
}

std::size_t mesh_state::max_packet_size() const {
  const guard lock(mutex_);
  std::uint64_t most = options_.max_packet_size;
  for (const auto& [id, member] : peers_) {
    if (member->up) most = std::min(most, member->max_message_size);
  }
  return static_cast<std::size_t>(most);
}

std::string mesh_state::last_error_detail() const {
  const guard lock(mutex_);
  return last_error_detail_;
}

void mesh_state::start_close(void_completion handler) {
  const guard lock(mutex_);
  if (context_gone()) return;
  closers_.push_back(void_operation::start(executor_, std::move(handler)));
  close_all(ending::gracefully);
}

void mesh_state::abort() {
  const guard lock(mutex_);
  close_all(ending::at_once);
}

void mesh_state::close_all(ending how) {
  closing_ = true;
  status_ = mesh_status::disconnected;
  if (how == ending::at_once) {  // those, too, that were closing in good order
    for (const auto& member : departing_) member->connection->close();
  }
  for (const auto& [id, member] : std::exchange(peers_, {})) {
    member->present = false;
    departing_.push_back(member);
    close_connection(member, how);
  }
  // Their owner wants no more of what they sent.
  for (const auto& member : std::vector<member_ptr>(departing_)) stop_reading(member);
  events->end({});
  packets->end({});
  finish_close();
}

void mesh_state::finish_close() {
  if (!departing_.empty()) return;
  for (const auto& waiting : std::exchange(closers_, {})) waiting->complete({});
}

void mesh_state::on_context_shutdown() noexcept {
  std::vector<std::shared_ptr<void_operation>> dropped;  // outside of the lock: they may hold us
  const guard lock(mutex_);
  closing_ = true;
  for (const auto& [id, member] : peers_) member->grace.reset();
  dropped.swap(closers_);
  executor_ = {};
  strand_ = {};
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
