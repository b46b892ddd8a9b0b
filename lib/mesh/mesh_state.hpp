// What the handle of a mesh and its operations share.
#pragma once

#include "mesh/mesh_member.hpp"

#include <asiortc/detail/operation.hpp>
#include <asiortc/mesh.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {

/// Waits on the streams of its peers complete on its strand; everything is under its mutex, which
/// is taken before those of connections, channels and queues.
class mesh_state final : public context_listener {
 public:
  static std::shared_ptr<mesh_state> create(boost::asio::any_io_executor executor, mesh_id id,
                                            mesh_options options);
  mesh_state(boost::asio::any_io_executor executor, mesh_id id, mesh_options options);

  // From any thread.
  void add_peer(peer_connection&& connection, mesh_id id, std::chrono::milliseconds lifetime);
  void remove_peer(mesh_id id);
  [[nodiscard]] std::optional<mesh_peer_info> get_peer(mesh_id id) const;
  [[nodiscard]] std::vector<mesh_peer_info> get_peers() const;
  [[nodiscard]] mesh_id id() const;
  void set_id(mesh_id id);
  [[nodiscard]] mesh_status status() const;
  void set_refuse(bool refuse);
  [[nodiscard]] bool refuses() const;
  [[nodiscard]] std::size_t max_packet_size() const;
  [[nodiscard]] std::string last_error_detail() const;
  void start_send(void_completion handler, mesh_id target, std::vector<std::uint8_t> bytes,
                  transfer_mode mode);
  void start_close(void_completion handler);
  void abort();

  void on_context_shutdown() noexcept override;

  const std::shared_ptr<event_queue<mesh_event>> events;
  const std::shared_ptr<event_queue<mesh_packet>> packets;

 private:
  enum class ending {
    gracefully,  ///< after what was sent
    at_once      ///< nobody is there
  };
  /// A reader of a channel that found no room.
  using stalled_reader = std::pair<member_ptr, transfer_mode>;
  using guard = std::lock_guard<std::mutex>;

  std::shared_ptr<mesh_state> self();
  template <class Function>
  auto on_strand(Function function);
  template <class Function>
  void post(Function function);

  // With the mutex held, all that follow.
  void check_new_peer(const peer_connection& connection, mesh_id id,
                      std::chrono::milliseconds lifetime) const;
  void watch_connection(const member_ptr& member);
  void watch_channel(const member_ptr& member, transfer_mode mode);
  void refuse_extra_channels(const member_ptr& member);
  void take(const member_ptr& member, const state_change<connection_state>& change);
  void take(const member_ptr& member, const state_change<data_channel_state>& change);
  void begin_grace(const member_ptr& member, boost::system::error_code reason);
  void came_up(const member_ptr& member);
  void announce(const member_ptr& member);
  void depart(const member_ptr& member, boost::system::error_code reason, ending how);
  void tell_departure(mesh_member& member, boost::system::error_code reason);
  void close_connection(const member_ptr& member, ending how);
  void end_of(const member_ptr& member);
  void close_all(ending how);
  void finish_close();
  [[nodiscard]] bool has_server() const { return options_.server_compatibility && id_ != 1; }
  [[nodiscard]] static mesh_peer_info describe(const mesh_member& member);

  void read(const member_ptr& member, transfer_mode mode);
  void wait_for_message(const member_ptr& member, transfer_mode mode);
  /// False when the packet was too large, and its sender is removed for it.
  bool receive(const member_ptr& member, transfer_mode mode, message&& content);
  void stop_reading(const member_ptr& member);
  void resume_readers();
  void note_taken(const mesh_packet& packet);

  /// Nothing when the send may go on to `targets`.
  [[nodiscard]] std::optional<std::pair<errc, std::string>> choose_targets(
      mesh_id target, std::size_t size, std::vector<member_ptr>& targets) const;

  const mesh_options options_;
  mutable std::mutex mutex_;
  boost::asio::any_io_executor executor_;
  boost::asio::any_io_executor strand_;
  mesh_id id_;
  mesh_status status_;
  bool refuse_;
  bool closing_ = false;
  std::map<mesh_id, member_ptr> peers_;
  std::vector<member_ptr> departing_;  // removed, and not yet at their end
  std::vector<std::shared_ptr<void_operation>> closers_;
  std::size_t unread_cost_ = 0;
  std::deque<stalled_reader> stalled_;
  bool resuming_ = false;
  std::string last_error_detail_;
};

template <class Function>
auto mesh_state::on_strand(Function function) {
  return boost::asio::bind_executor(strand_, std::move(function));
}

template <class Function>
void mesh_state::post(Function function) {
  boost::asio::post(strand_, std::move(function));
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
