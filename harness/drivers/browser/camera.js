/*
 * A camera and a microphone that carry a canary, in place of the machine's own. This is a function of `settings`
 * ({width, height, frameRate, share, label, live}); it is run in every frame before the page's scripts. `live` names
 * the function by which the driver tells what is to be emitted now.
 */
(settings) => {
  if (!navigator.mediaDevices || globalThis.harnessCamera) return;

  const LIGHT = "#ebebeb";
  const DARK = "#101010";
  const CELL = 16;
  const STEP_PIXELS = 2;
  // What was taken before a canary's change may be on its way through an encoder for that long.
  const SETTLED_MS = 200;
  // The longest packet of Opus (RFC 6716, section 2.1.4): fewer packets cannot have held that much sound.
  const PACKET_S = 0.12;

  const pause = (ms) => new Promise((go) => setTimeout(go, ms));

  /**
   * What is emitted now, since when, and how much of it was: seconds of sound, frames drawn. At rest devices are open
   * and give nothing, so that no packet leaves and no recorder takes silence for somebody's sound.
   */
  let shown = { turn: 0, isAtRest: true, canary: "", modules: [], at_ms: 0 };
  let emitted = { sound_s: 0, frames: 0 };
  const cameras = new Set();
  const microphones = new Set();
  const peers = new Set();
  const owned = new WeakMap();

  const isLive = (device) => [...device.tracks].some(({ readyState }) => readyState === "live");
  const isSending = (device) =>
    [...device.tracks].some(({ readyState, enabled }) => readyState === "live" && enabled);

  /* Devices: one for each track that getUserMedia gave, with the clones that the page made of it. */

  function own(device, track) {
    const { kind } = track;
    const about = { deviceId: `harness-${kind}`, groupId: "harness" };
    const settled = track.getSettings.bind(track);
    Object.defineProperty(track, "label", { value: `${settings.label} (${kind})` });
    Object.defineProperty(track, "getSettings", { value: () => ({ ...settled(), ...device.about, ...about }) });
    device.tracks.add(track);
    owned.set(track, device);
    return track;
  }

  function texture() {
    const canvas = document.createElement("canvas");
    canvas.width = settings.width * 2;
    canvas.height = settings.height;
    const pen = canvas.getContext("2d");
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    for (let y = 0; y < canvas.height; y += CELL)
      for (let x = 0; x < settings.width; x += CELL) {
        pen.fillStyle = `hsl(${Math.floor(random() * 360)} 25% ${Math.floor(20 + random() * 50)}%)`;
        pen.fillRect(x, y, CELL, CELL);
        pen.fillRect(x + settings.width, y, CELL, CELL);
      }
    return canvas;
  }

  function draw(camera) {
    if (shown.isAtRest) return;
    paint(camera);
    [...camera.tracks].find(({ readyState }) => readyState === "live")?.requestFrame();
    if (shown.modules.length && isSending(camera)) emitted.frames += 1;
  }

  function paint(camera) {
    const { pen, background } = camera;
    const { width, height } = settings;
    const { modules } = shown;
    camera.frame += 1;
    // Without a code to show, the lens is covered: a picture with no canary would be somebody else's.
    pen.fillStyle = "#000000";
    if (!modules.length) return pen.fillRect(0, 0, width, height);
    pen.drawImage(background, -((camera.frame * STEP_PIXELS) % width), 0);
    const scale = Math.floor((height * settings.share) / modules.length);
    const left = Math.floor((width - modules.length * scale) / 2);
    const top = Math.floor((height - modules.length * scale) / 2);
    modules.forEach((row, y) =>
      [...row].forEach((module, x) => {
        pen.fillStyle = module === "1" ? DARK : LIGHT;
        pen.fillRect(left + x * scale, top + y * scale, scale, scale);
      }),
    );
  }

  function openCamera() {
    const { width, height, frameRate } = settings;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d", { alpha: false });
    const about = { width, height, frameRate, aspectRatio: width / height };
    const camera = { tracks: new Set(), pen, background: texture(), frame: 0, about };
    const [track] = canvas.captureStream(0).getVideoTracks();
    cameras.add(camera);
    own(camera, track);
    draw(camera);
    return track;
  }

  const sound = { context: null, source: null };

  /** Play the canary's loop into every open microphone from now on; at rest, let time stand still in them. */
  function play() {
    const { context, source } = sound;
    if (!context) return;
    source?.stop();
    source?.disconnect();
    sound.source = null;
    if (shown.isAtRest || !microphones.size) return context.suspend();
    context.resume();
    const buffer = context.createBuffer(1, shown.pcm.length, shown.rate_hz);
    buffer.copyToChannel(shown.pcm, 0);
    sound.source = new AudioBufferSourceNode(context, { buffer, loop: true });
    for (const { destination } of microphones) sound.source.connect(destination);
    sound.source.start();
  }

  async function openMicrophone() {
    // No device plays it, so that none is needed.
    sound.context ??= new AudioContext({ sampleRate: 48000, sinkId: { type: "none" } });
    const { context } = sound;
    await (shown.isAtRest ? context.suspend() : context.resume());
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    const about = { sampleRate: context.sampleRate, channelCount: 1, sampleSize: 16 };
    const microphone = { tracks: new Set(), destination, at_s: context.currentTime, about };
    microphones.add(microphone);
    if (sound.source) sound.source.connect(destination);
    else play();
    return own(microphone, destination.stream.getAudioTracks()[0]);
  }

  let timer = null;

  /** Draw the next frames, count what was emitted, and let go of what the page has stopped. */
  function tick() {
    const now_s = sound.context?.currentTime ?? 0;
    let heard_s = 0;
    for (const camera of cameras) {
      if (isLive(camera)) draw(camera);
      else cameras.delete(camera);
    }
    for (const microphone of microphones) {
      if (isSending(microphone)) heard_s = Math.max(heard_s, now_s - microphone.at_s);
      microphone.at_s = now_s;
      if (isLive(microphone)) continue;
      microphones.delete(microphone);
      sound.source?.disconnect(microphone.destination);
    }
    emitted.sound_s += heard_s;
    if (cameras.size || microphones.size) return;
    clearInterval(timer);
    timer = null;
    sound.context?.suspend();
  }

  /* What the driver calls. */

  /**
   * Ask the driver what is to be emitted, and emit it. The driver keeps it, so that it outlives a page that is loaded
   * anew; asked for, it does not fill the record of what the driver did.
   */
  async function refresh() {
    const live = await globalThis[settings.live]();
    if (live.turn <= shown.turn) return;
    const bytes = Uint8Array.from(atob(live.pcm), (each) => each.charCodeAt(0));
    const pcm = Float32Array.from(new Int16Array(bytes.buffer), (each) => each / 32768);
    shown = { ...live, pcm, at_ms: performance.now() };
    for (const microphone of microphones) microphone.at_s = sound.context.currentTime;
    emitted = { sound_s: 0, frames: 0 };
    play();
    for (const camera of cameras) draw(camera);
  }

  /** How much each open connection has sent of each track of ours: packets, frames, seconds of sound. */
  async function carried() {
    const lines = [];
    for (const peer of peers) {
      if (["closed", "failed"].includes(peer.connectionState)) {
        peers.delete(peer);
        continue;
      }
      for (const sender of peer.getSenders()) {
        if (!sender.track || !owned.has(sender.track) || sender.track.readyState !== "live") continue;
        const line = { sender, kind: sender.track.kind, state: peer.connectionState, packets: 0, frames: 0, sound_s: 0 };
        for (const stat of (await sender.getStats()).values()) {
          if (stat.type === "outbound-rtp") {
            line.packets += stat.packetsSent;
            line.frames = Math.max(line.frames, stat.framesSent ?? 0);
          } else if (stat.type === "media-source") line.sound_s = stat.totalSamplesDuration ?? 0;
        }
        lines.push(line);
      }
    }
    return lines;
  }

  const report = (sent, lines) => ({
    canary: shown.canary,
    ...sent,
    packets: lines.reduce((sum, { packets }) => sum + packets, 0),
    microphone: [...microphones].some(isSending),
    camera: [...cameras].some(isSending),
    connections: lines.map(({ kind, state }) => `${kind} ${state}`),
  });

  /** Return when that much more of the canary shown now was emitted, or when the time is over. */
  async function send({ sound_s, frames, within_ms }) {
    const end_ms = performance.now() + within_ms;
    while (performance.now() < shown.at_ms + SETTLED_MS) await pause(SETTLED_MS / 4);
    const { turn } = shown;
    const begun = { ...emitted };
    const before = new Map();
    const grown = new Map();
    for (;;) {
      const lines = await carried();
      for (const line of lines) {
        const { sender } = line;
        const old = before.get(sender) ?? line;
        const sum = grown.get(sender) ?? { packets: 0, frames: 0, sound_s: 0 };
        for (const each of Object.keys(sum)) sum[each] += Math.max(0, line[each] - old[each]);
        before.set(sender, line);
        grown.set(sender, sum);
      }
      const sent = { sound_s: emitted.sound_s - begun.sound_s, frames: emitted.frames - begun.frames };
      for (const { sender, kind } of lines) {
        const sum = grown.get(sender);
        if (kind === "video") sent.frames = Math.min(sent.frames, sum.frames);
        else sent.sound_s = Math.min(sent.sound_s, sum.sound_s, sum.packets * PACKET_S);
      }
      const isDone = sent.sound_s >= sound_s && sent.frames >= frames && shown.turn === turn;
      if (isDone || shown.turn !== turn || performance.now() > end_ms)
        return { ...report(sent, lines), isDone };
      await pause(1000 / settings.frameRate);
    }
  }

  const look = async () => report(emitted, await carried());

  Object.defineProperty(globalThis, "harnessCamera", { value: Object.freeze({ refresh, look, send }) });

  /* What the page calls. */

  Object.defineProperties(MediaDevices.prototype, {
    getUserMedia: {
      configurable: true,
      writable: true,
      value: async function getUserMedia({ audio = false, video = false } = {}) {
        if (!audio && !video) throw new TypeError("At least one of audio and video must be requested");
        await refresh();
        const tracks = [];
        if (audio) tracks.push(await openMicrophone());
        if (video) tracks.push(openCamera());
        timer ??= setInterval(tick, 1000 / settings.frameRate);
        return new MediaStream(tracks);
      },
    },
    enumerateDevices: {
      configurable: true,
      writable: true,
      value: async function enumerateDevices() {
        return ["audio", "video"].map((kind) => {
          const about = { kind: `${kind}input`, label: `${settings.label} (${kind})` };
          const device = { deviceId: `harness-${kind}`, groupId: "harness", ...about };
          return { ...device, toJSON: () => device };
        });
      },
    },
  });

  const { clone } = MediaStreamTrack.prototype;
  MediaStreamTrack.prototype.clone = function () {
    const copy = clone.call(this);
    const device = owned.get(this);
    return device ? own(device, copy) : copy;
  };
  MediaStream.prototype.clone = function () {
    return new MediaStream(this.getTracks().map((track) => track.clone()));
  };

  const { setLocalDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setLocalDescription = function (...args) {
    peers.add(this);
    return setLocalDescription.apply(this, args);
  };
}
