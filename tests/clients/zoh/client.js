// Drives zigbee-herdsman's zoh adapter (zigbee-on-host: a Zigbee stack that is not ours) over the virtual RCP.
//
//   node client.js PHASE PATH DATA IMAGE FAR_IMAGE BAD_IMAGE
//
// PHASE: "first" forms a network and uses it, "second" restarts the host on it. PATH: of the RCP, as herdsman takes it.
// DATA: folder of the host's own state. Each line on standard output is one of
//   ok STEP: DETAIL     a step that went as it should
//   ! COMMAND           a command for the served home (hanlab dongle serve reads it from its standard input)
// Anything that goes wrong ends the process with status 1 and its reason on standard error.
"use strict";

const assert = require("node:assert/strict");
const { once } = require("node:events");
const fs = require("node:fs");
const path = require("node:path");
const { Controller, setLogger } = require("zigbee-herdsman");
const ota = require("zigbee-herdsman/dist/controller/helpers/ota");

const [phase, port, data, image, farImage, badImage] = process.argv.slice(2);

const BRIDGE = "0x00db1234567899b1";
const PPMID = "0x00db1234567899a4";
const GSME = "0x00db1234567899a1";
const FAR_BRIDGE = "0x00db1234567899b3"; // the bridge at the other end of the backhaul of BRIDGE
const FAR_PPMID = "0x00db1234567899a5"; // behind it
const SMART_ENERGY = 1; // endpoints
const HOME_AUTOMATION = 2;

// Manufacturer images of the GB HAN have no sub-elements; herdsman's parser insists on them.
ota.parseOtaImage = (buffer) => {
    const header = ota.parseOtaHeader(buffer);
    return { header, elements: [], raw: buffer.subarray(0, header.totalImageSize) };
};

const started = process.hrtime.bigint();
const complaints = [];

function ok(step, detail = "") {
    const seconds = Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000;
    console.log(`ok ${step}${detail ? `: ${detail}` : ""} [${seconds.toFixed(1)} s]`);
}

function home(command) {
    console.log(`! ${command}`);
}

function quiet() {}

function complain(message, namespace) {
    complaints.push(`${namespace} ${typeof message === "function" ? message() : message}`);
}

setLogger({ debug: process.env.ZOH_DEBUG ? console.error : quiet, info: quiet, warning: complain, error: complain });

const controller = new Controller({
    network: {
        panID: 0x1a62,
        extendedPanID: [0xdd, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77],
        channelList: [20],
        networkKey: [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13],
    },
    transport: { path: port, adapter: "zoh", baudRate: 460800, rtscts: false },
    databasePath: path.join(data, "database.db"),
    databaseBackupPath: path.join(data, "database.db.backup"),
    backupPath: path.join(data, "backup.json"),
    adapter: { concurrent: 16, disableLED: false },
});

async function event(name, matches, within) {
    const signal = AbortSignal.timeout(within);
    for (;;) {
        const [payload] = await once(controller, name, { signal });
        if (matches(payload)) return payload;
    }
}

const of = (ieeeAddr) => (payload) => (payload.device?.ieeeAddr ?? payload.ieeeAddr) === ieeeAddr;

async function interviewed(ieeeAddr) {
    const payload = await event("deviceInterview", (p) => of(ieeeAddr)(p) && p.status !== "started", 90_000);
    assert.equal(payload.status, "successful", `interview of ${ieeeAddr}`);
    return payload.device;
}

async function readBasic(device, endpoint) {
    return await device.getEndpoint(endpoint).read("genBasic", ["modelId", "manufacturerName"]);
}

// A router lets devices join only after it has heard that it may: so the far ones have permits of their own.
async function join() {
    const devices = [];
    for (const group of [[BRIDGE, PPMID, GSME], [FAR_BRIDGE], [FAR_PPMID]]) {
        const joining = Promise.all(group.map(interviewed));
        await controller.permitJoin(120);
        ok("permit");
        devices.push(...(await joining));
    }
    const expected = [["Router", "B1010100"], ["EndDevice", "50010201"], ["EndDevice", "65010101"], ["Router", "B3010100"], ["EndDevice", "50010201"]];
    for (const [index, [type, model]] of expected.entries()) {
        const device = devices[index];
        assert.equal(device.type, type);
        assert.equal(device.modelID, model);
        assert.deepEqual(device.endpoints.map((e) => [e.ID, e.profileID]), [[SMART_ENERGY, 0x0109], [HOME_AUTOMATION, 0x0104]]);
        ok("join and interview", `${device.ieeeAddr} ${device.type} ${device.manufacturerName} ${device.modelID}`);
    }
    await controller.permitJoin(0);
    return devices;
}

async function read(devices) {
    for (const device of devices) {
        for (const endpoint of [SMART_ENERGY, HOME_AUTOMATION]) {
            const basic = await readBasic(device, endpoint);
            assert.equal(basic.modelId, device.modelID);
            assert.equal(basic.manufacturerName, device.manufacturerName);
        }
        ok("read", `${device.ieeeAddr} Basic on both endpoints`);
    }
    await devices[0].getEndpoint(HOME_AUTOMATION).command("genIdentify", "identify", { identifytime: 60 });
    const { identifyTime } = await devices[0].getEndpoint(HOME_AUTOMATION).read("genIdentify", ["identifyTime"]);
    assert.ok(identifyTime > 0 && identifyTime <= 60);
    ok("identify", `${identifyTime} s left`);
}

async function refuseBadImage(ppmid) {
    const update = ppmid.updateOta({ url: badImage }, undefined, undefined, {}, quiet, { requestTimeout: 60_000, responseDelay: 0, baseSize: 50 }, ppmid.getEndpoint(HOME_AUTOMATION));
    await assert.rejects(update, /INVALID_IMAGE/);
    ok("OTA of a spoilt image", "INVALID_IMAGE");
}

async function update(name, device, image) {
    const endpoint = device.getEndpoint(HOME_AUTOMATION);
    const settings = { requestTimeout: 60_000, responseDelay: 0, baseSize: 50 };
    const began = Date.now();
    const [before, now] = await device.updateOta({ url: image }, undefined, undefined, {}, quiet, settings, endpoint);
    assert.ok(now !== undefined, "an update took place");
    const seconds = (Date.now() - began) / 1000;
    await new Promise((resolve) => setTimeout(resolve, 3000)); // it has announced itself, and is still starting
    const [after, again] = await device.updateOta({ url: image }, undefined, undefined, {}, quiet, settings, endpoint);
    assert.equal(again, undefined, "nothing newer is left");
    assert.equal(after.fileVersion, now.fileVersion);
    ok(name, `${fs.statSync(image).size} octets in ${seconds.toFixed(1)} s, ${hex(before.fileVersion)} to ${hex(after.fileVersion)}`);
}

const hex = (version) => version.toString(16).padStart(8, "0");

async function silenceAndReturn(ppmid) {
    home("off ppmid");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await assert.rejects(readBasic(ppmid, HOME_AUTOMATION));
    ok("silence", "a read fails");
    const announced = event("deviceAnnounce", of(PPMID), 60_000);
    home("on ppmid");
    await announced;
    assert.equal((await readBasic(ppmid, HOME_AUTOMATION)).modelId, ppmid.modelID);
    ok("return", "announced itself, a read succeeds");
}

// The host knows ways to the far side only from what comes from there; after a restart a device there has to speak first.
// (A bridge whose silence it has once noted, as in the restart above, is no relay to it again before that.)
async function farSideSpeaks() {
    const announced = event("deviceAnnounce", of(FAR_PPMID), 60_000);
    home("off far-ppmid");
    home("on far-ppmid");
    await announced;
    await new Promise((resolve) => setTimeout(resolve, 1000));
}

async function leave(ppmid) {
    // of the adapter: the controller has forgotten the device by then and tells nothing
    const left = once(controller.adapter, "deviceLeave", { signal: AbortSignal.timeout(60_000) });
    await ppmid.removeFromNetwork();
    assert.equal((await left)[0].ieeeAddr, PPMID);
    ok("leave", PPMID);
}

async function first() {
    assert.equal(await controller.start(), "reset");
    ok("start and form", JSON.stringify(await controller.getCoordinatorVersion()));
    const devices = await join();
    const [bridge, ppmid, , , farPpmid] = devices;
    await read(devices);
    await silenceAndReturn(ppmid);
    await refuseBadImage(ppmid);
    await update("OTA through two bridges", farPpmid, farImage);
    await update("OTA of the bridge", bridge, image);
    await leave(ppmid);
}

async function second() {
    assert.equal(await controller.start(), "resumed");
    ok("restart", "network resumed");
    const known = [...controller.getDevicesIterator()].map((device) => device.ieeeAddr);
    assert.ok([BRIDGE, GSME, FAR_BRIDGE, FAR_PPMID].every((each) => known.includes(each)) && !known.includes(PPMID), known.join());
    for (const ieeeAddr of [BRIDGE, GSME, FAR_PPMID]) {
        if (ieeeAddr === FAR_PPMID) await farSideSpeaks();
        const device = controller.getDeviceByIeeeAddr(ieeeAddr);
        assert.equal((await readBasic(device, HOME_AUTOMATION)).modelId, device.modelID);
        ok("read after restart", ieeeAddr);
    }
}

(phase === "first" ? first() : second())
    .then(async () => {
        await controller.stop();
        ok("stop", `${complaints.length} complaints of the host`);
        for (const text of complaints) console.error(text);
        process.exit(0);
    })
    .catch((error) => {
        for (const text of complaints) console.error(text);
        console.error(error);
        process.exit(1);
    });
