/** Arguments of `rabbitmqctl` that raise an alarm on a private node, and end it: its own limits are back then. */
export const ALARMS = {
  memory: {
    on: ['set_vm_memory_high_watermark', '0.00001'],
    off: ['set_vm_memory_high_watermark', 'absolute', '1GB'],
  },
  disk: { on: ['set_disk_free_limit', '1000GB'], off: ['set_disk_free_limit', '50MB'] },
} as const;
