#pragma once
// A carrier's SMSC of the test's own: SMPP 3.4 for one transceiver at a time, on loopback. What it does with a message follows from
// the last four digits of the number.
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace openrd::tests {

inline constexpr std::string_view smsc_throttles = "0001", smsc_rejects = "0002", smsc_cannot_deliver = "0003", smsc_tells_nothing = "0004", smsc_does_not_answer = "0005",
                                  smsc_fails = "0006", smsc_lets_expire = "0007", smsc_drops_the_link_once = "0008", smsc_delivers_rejected = "0009";

struct Submitted {
    std::string from, to, text, validity;  // text: the bytes, in the alphabet of `coding`
    int coding = 0;
};

class Smsc {
  public:
    Smsc(std::string user, std::string password);
    Smsc(const Smsc&) = delete;
    Smsc& operator=(const Smsc&) = delete;
    ~Smsc();

    int port() const { return port_; }
    std::vector<Submitted> submitted() const;
    std::size_t submitted_to(std::string_view number) const;
    int binds() const { return binds_; }
    // Down: the link is cut and no new one taken.
    void set_up(bool up) { up_ = up; }
    bool linked() const { return linked_; }

  private:
    struct Pdu {
        std::uint32_t command = 0, status = 0, sequence = 0;
        std::string body;
    };
    void run();
    void serve(int fd);
    bool read_pdu(int fd, Pdu& pdu);
    bool read_bytes(int fd, char* into, std::size_t size);
    void write_pdu(int fd, const Pdu& pdu);
    bool submit(int fd, const Pdu& pdu);  // false: the link is dropped
    void deliver_receipt(int fd, const Submitted& message, const std::string& id, std::string_view state);

    const std::string user_, password_;
    int port_ = 0;
    std::atomic<bool> stopping_{false}, up_{true}, linked_{false};
    std::atomic<int> binds_{0};
    std::uint32_t next_sequence_ = 1, next_id_ = 1;
    mutable std::mutex mutex_;
    std::vector<Submitted> submitted_;
    std::thread thread_;
};

}  // namespace openrd::tests
