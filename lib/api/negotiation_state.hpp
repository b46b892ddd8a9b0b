// Perfect negotiation (webrtc-pc 10.7), on the connection's strand.
#pragma once

#include "api/peer_state.hpp"

#include <asiortc/negotiate.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {

class negotiation_state final : public negotiation_sink,
                                public std::enable_shared_from_this<negotiation_state> {
 public:
  negotiation_state(std::shared_ptr<peer_state> peer, std::shared_ptr<signaling_pipe> pipe,
                    negotiation_role role);

  // From any thread.
  void start();
  void start_wait(void_completion handler);
  void stop();

  // On the strand.
  void on_local_candidate(const ice_candidate& candidate) override;
  void on_negotiation_needed() override;
  void on_connection_state(asiortc::connection_state state) override;
  void on_peer_end(boost::system::error_code reason) override;

 private:
  void take_up();
  void release();
  void receive();
  void on_signal(boost::system::error_code code, std::optional<peer_signal> signal);
  void on_remote(const session_description& description);
  void on_remote(const ice_candidate& candidate);
  void offer();
  bool answer();
  void send_local_description();
  void add_candidate(const ice_candidate& candidate);
  void pipe_ended(boost::system::error_code code);
  void finish(boost::system::error_code code);
  void refuse(const base::failure& why);
  void log(const char* what, const base::failure& why);

  const std::shared_ptr<peer_state> peer_;
  const std::shared_ptr<signaling_pipe> pipe_;
  const bool polite_;

  // On the strand.
  std::deque<ice_candidate> early_candidates_;
  bool ignoring_offer_ = false;
  bool connected_once_ = false;
  bool finished_ = false;

  std::atomic<bool> released_{false};
  std::mutex mutex_;
  std::optional<boost::system::error_code> result_;
  std::vector<std::shared_ptr<void_operation>> waiters_;
};

}  // namespace asiortc::inline ASIORTC_ABI::detail
