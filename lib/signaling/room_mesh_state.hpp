// What the handle of a room mesh and its operations share.
#pragma once

#include "signaling/room_mesh_member.hpp"

#include <asiortc/detail/operation.hpp>
#include <asiortc/mesh.hpp>
#include <asiortc/room_mesh.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {

class room_mesh_state final : public context_listener {
 public:
  static std::shared_ptr<room_mesh_state> create(boost::asio::any_io_executor executor,
                                                 room_mesh_options options);
  room_mesh_state(boost::asio::any_io_executor executor, room_mesh_options options);

  // From any thread.
  void start_join(void_completion handler, std::string url, std::string room);
  void start_close(void_completion handler);
  /// The handle is gone.
  void abandon();
  [[nodiscard]] mesh_id id() const { return id_; }
  [[nodiscard]] std::vector<signaling_peer> members() const;
  [[nodiscard]] std::string last_error_detail() const;

  void on_context_shutdown() noexcept override;

  mesh net;
  const std::shared_ptr<event_queue<mesh_event>> events;

 private:
  enum class phase { fresh, entering, in_room, between_stays, ended };
  using member_ptr = std::shared_ptr<signaling::room_member>;
  using error_code = boost::system::error_code;

  std::shared_ptr<room_mesh_state> self();
  template <class Function>
  auto on_strand(Function function);
  template <class Function>
  void post(Function function);

  // On the strand, all that follow. The room:
  void enter();
  void entered();
  void not_entered(error_code code);
  void follow_room();
  void take(const signaling_event& event);
  void lose_room(error_code code);
  void enter_later();
  [[nodiscard]] bool refused_for_good(error_code code) const;
  /// Whether what was begun during a stay is still of it.
  [[nodiscard]] bool is_of(std::uint64_t stay) const {
    return stay == stay_ && phase_ != phase::ended;
  }

  // The end:
  void finish(error_code code);
  void forget_room();
  void close_all();
  void closed();

  // The members:
  void meet(const signaling_peer& peer);
  void went_away(const signaling_event& event);
  void forget(const member_ptr& member);
  void renew_relay(const member_ptr& member);
  void begin(const member_ptr& member);
  void begin_later(const member_ptr& member);
  void arm(const member_ptr& member, std::chrono::milliseconds time);
  void on_timer(const member_ptr& member);
  void read_pipe(const member_ptr& member);
  void take(const member_ptr& member, peer_signal signal);
  void follow_mesh();
  void take(const mesh_event& event);
  void remove_doubles_of(mesh_id id);
  void remove_peer(mesh_id id);
  [[nodiscard]] bool is_connected(mesh_id id) const;
  [[nodiscard]] bool is_current(const member_ptr& member) const;
  [[nodiscard]] asiortc::configuration connection_settings();
  void publish_members();
  void tell(const mesh_event& event);

  room_mesh_options options_;
  boost::asio::any_io_executor executor_;
  boost::asio::any_io_executor strand_;
  std::string url_;
  std::string room_;
  phase phase_ = phase::fresh;
  std::uint64_t stay_ = 0;
  std::optional<certificate> certificate_;  // where the user gave none: one for all connections
  std::optional<signaling_client> client_;
  std::map<mesh_id, member_ptr> members_;
  std::vector<member_ptr> leaving_;  // said so, and their connections have not ended yet
  std::optional<boost::asio::steady_timer> timer_;  // until the room is joined again
  std::chrono::milliseconds delay_{0};
  std::chrono::steady_clock::time_point entered_at_;
  std::shared_ptr<void_operation> joining_;
  std::vector<std::shared_ptr<void_operation>> closers_;
  bool closing_ = false;
  bool closed_ = false;

  std::atomic<mesh_id> id_ = 0;
  mutable std::mutex mutex_;  // a leaf: guards what follows
  std::vector<signaling_peer> shown_members_;
  std::string refusal_;
};

template <class Function>
auto room_mesh_state::on_strand(Function function) {
  return boost::asio::bind_executor(strand_, std::move(function));
}

template <class Function>
void room_mesh_state::post(Function function) {
  if (!context_gone()) boost::asio::post(strand_, std::move(function));
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
