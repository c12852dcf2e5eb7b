import type { SettingsProps } from "../features/more";
import { useFeature } from "./feature";
import { Fold } from "./fold";

/** The fields that nobody asked for; folded away, unless they are all there is. */
export function More({ isAll, ...props }: SettingsProps & { isAll: boolean }) {
  const more = useFeature("more", true);
  const content = more && <more.Settings {...props} />;
  if (isAll) return <div class="inside">{content}</div>;
  return (
    <Fold title="More settings" open={props.fields.some(props.hasTrouble)} class="more">
      {content}
    </Fold>
  );
}
