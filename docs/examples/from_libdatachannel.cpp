// A peer as libdatachannel's programs have it, ported: callbacks, which threads of the program's
// own call, signaling by whatever the program has, and descriptions that are made and set by
// themselves.
#include "on_each.hpp"

#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;

class peer {
 public:
  // A strand of its own: the callbacks of one peer never run at the same time.
  peer(asio::io_context& context, asiortc::negotiation_role role)
      : strand_(asio::make_strand(context)),
        pipe_(asiortc::make_signaling_pipe_pair(strand_)),
        pc_(strand_),
        session_(asiortc::negotiate(pc_, pipe_.first, role)) {}

  // pc->onLocalDescription and pc->onLocalCandidate: what is to be brought to the other side.
  void on_signal(std::function<void(asiortc::peer_signal)> callback) {
    pipe_.second->async_receive(
        [this, callback](error_code, std::optional<asiortc::peer_signal> signal) {
          if (!signal) return;
          callback(std::move(*signal));
          on_signal(callback);
        });
  }

  // pc->setRemoteDescription and pc->addRemoteCandidate: what came from there, in its order.
  void take(asiortc::peer_signal signal) { pipe_.second->send(std::move(signal)); }

  // pc->onStateChange
  void on_state_change(std::function<void(asiortc::connection_state)> callback) {
    on_each(pc_.connection_states(), [callback](const auto& change) { callback(change.state); });
  }

  // pc->onDataChannel
  void on_data_channel(std::function<void(asiortc::data_channel)> callback) {
    on_each(pc_.data_channels(), std::move(callback));
  }

  asiortc::peer_connection& pc() { return pc_; }

 private:
  asio::any_io_executor strand_;
  std::pair<std::shared_ptr<asiortc::signaling_pipe>, std::shared_ptr<asiortc::signaling_pipe>>
      pipe_;  // one end for negotiate(), the other for the transport
  asiortc::peer_connection pc_;
  asiortc::negotiation session_;
};

int main() {
  asio::io_context context;
  auto work = asio::make_work_guard(context);
  peer pc1(context, asiortc::negotiation_role::polite);
  peer pc2(context, asiortc::negotiation_role::impolite);
  pc1.on_signal([&](asiortc::peer_signal signal) { pc2.take(std::move(signal)); });
  pc2.on_signal([&](asiortc::peer_signal signal) { pc1.take(std::move(signal)); });
  pc1.on_state_change([](asiortc::connection_state state) {
    std::cout << "State 1: " + std::string(to_string(state)) + "\n";
  });

  std::promise<void> answered;
  asiortc::data_channel dc1 = pc1.pc().create_data_channel("test"), dc2;
  dc1.async_open([&](error_code failed) {  // dc1->onOpen
    if (!failed) dc1.async_send("Hello from 1", asio::detached);
  });
  on_each(dc1.messages(), [&](const asiortc::message& message) {  // dc1->onMessage
    std::cout << "1 received: " + std::string(message.text()) + "\n";
    answered.set_value();
  });
  pc2.on_data_channel([&](asiortc::data_channel opened) {
    dc2 = std::move(opened);
    on_each(dc2.messages(), [&](const asiortc::message& message) {
      std::cout << "2 received: " + std::string(message.text()) + "\n";
      dc2.async_send("Hello from 2", asio::detached);
    });
  });

  std::vector<std::thread> threads;  // as rtc::SetThreadPoolSize(2)
  for (int i = 0; i < 2; ++i) threads.emplace_back([&context] { context.run(); });
  const bool in_time =
      answered.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready;
  pc1.pc().async_close(asio::detached);
  pc2.pc().async_close(asio::detached);
  work.reset();
  for (auto& each : threads) each.join();  // then nobody calls back, and all may be destroyed
  return in_time ? 0 : 1;
}
